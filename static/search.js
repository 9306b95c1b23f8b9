// Search as you type. The page that the form asks for is fetched, and its results take the place of those that are
// shown; so what is seen is always what the address gives without scripts. Arrow keys walk through the results.
"use strict";

{
  const form = document.querySelector("[data-live]");
  const box = form.querySelector("[data-search]");
  const found = document.querySelector("[data-found]"); // a status: what is put into it is read out
  const results = document.querySelector("[data-results]");
  const isResultsPage = location.pathname === new URL(form.action).pathname;
  let shown = isResultsPage ? askedBy(location) : "";
  let asking = null;
  let timer = 0;

  // What an address asks for, whichever page of it.
  function askedBy(address) {
    const query = new URLSearchParams(address.search);
    query.delete("page");
    query.sort();
    return `${query}`;
  }

  const wanted = () => {
    const said = [...new FormData(form)].filter(([name, value]) => value.trim() && `${name}=${value}` !== "sort=relevance");
    const address = new URL(form.action);
    address.search = new URLSearchParams(said);
    return address;
  };

  // So that Back leads to the same results: by the address or, on a page that has another, by what was typed.
  const remember = (address) => history.replaceState({ typed: box.value }, "", isResultsPage ? address : location.href);

  const fail = () => found.replaceChildren("The search gave no answer. Press Enter to try again.");

  function show(answer, address) {
    const fresh = answer && answer.querySelector("[data-results]");
    if (!fresh) return fail();
    found.replaceChildren(...answer.querySelector("[data-found]").childNodes);
    results.replaceChildren(...fresh.childNodes);
    sayAgo(results); // of site.js
    const indexes = document.querySelector("[data-indexes]"); // they lead to the same search on another index
    if (isResultsPage && indexes) indexes.replaceChildren(...answer.querySelector("[data-indexes]").childNodes);
    shown = askedBy(address);
    if (isResultsPage) document.title = answer.title;
    remember(address);
  }

  function ask() {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    const address = wanted();
    if (askedBy(address) === shown) return;
    if (!isResultsPage && !box.value.trim()) {
      found.replaceChildren();
      results.replaceChildren();
      shown = "";
      remember(address);
      return;
    }
    // XMLHttpRequest parses a page without handing this script a string of HTML, which Trusted Types would refuse.
    const request = (asking = new XMLHttpRequest());
    request.open("GET", address);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.onload = () => request === asking && (request.status === 200 ? show(request.responseXML, address) : fail());
    request.onerror = () => request === asking && fail();
    request.send();
  }

  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(ask, event.target === box ? 150 : 400);
  });
  form.addEventListener("change", (event) => event.target !== box && ask());
  if (!isResultsPage && history.state?.typed) box.value = history.state.typed;
  addEventListener("pageshow", ask);
  for (const button of form.querySelectorAll("[data-apply]")) button.hidden = true;

  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const stops = [box, ...results.querySelectorAll("h2 a")];
    const at = stops.indexOf(document.activeElement);
    const next = stops[at + step];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });
}
