// Uploading: each file is checked by its name and size when it is chosen, and sent in a request of its own, in order,
// so that progress and refusals stand beside it. Without this script the form sends all files at once.
"use strict";

for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  const list = form.querySelector("[data-queue]");
  const button = form.querySelector("button[type=submit]");
  const says = form.querySelector("[data-says]");
  const model = form.querySelector("template");
  const LOST = "The connection ended before the server answered; look whether the project lists the file, then send it again.";
  const BADGES = { checking: "", ready: "", taken: "warn", waiting: "", sending: "", published: "good", unchanged: "warn", refused: "bad" };
  const rows = [];
  let isSending = false;

  function setState(row, state) {
    row.state = state;
    row.badge.textContent = state === "taken" ? "name taken" : state;
    row.badge.className = `badge ${BADGES[state]}`;
    row.bar.hidden = state !== "sending";
    row.remove.hidden = state === "published" || state === "unchanged";
    row.remove.textContent = state === "sending" ? "Cancel" : "Remove";
    row.remove.setAttribute("aria-label", `${row.remove.textContent} ${row.file.name}`);
    count();
  }

  function say(row, sentence) {
    row.sentence.textContent = sentence;
    row.sentence.hidden = sentence === "";
  }

  const isWilling = (row) => row.state === "ready" || row.state === "taken";

  function count() {
    const willing = rows.filter(isWilling).length;
    button.textContent = willing > 1 ? `Upload ${willing} files` : "Upload";
    button.disabled = isSending || (rows.length > 0 && willing === 0);
    list.hidden = rows.length === 0;
  }

  function drop(row) {
    row.request?.abort();
    const next = row.item.nextElementSibling ?? row.item.previousElementSibling;
    const target = next?.querySelector("[data-remove]:not([hidden])") ?? input;
    rows.splice(rows.indexOf(row), 1);
    row.item.remove();
    count();
    target.focus();
  }

  function add(file) {
    const item = model.content.firstElementChild.cloneNode(true);
    const find = (name) => item.querySelector(`[data-${name}]`);
    const row = {
      file, item, badge: find("badge"), facts: find("facts"), sentence: find("sentence"), remove: find("remove"),
      bar: item.querySelector("progress"),
    };
    find("name").textContent = file.name;
    row.bar.setAttribute("aria-label", `Progress of ${file.name}`);
    row.remove.addEventListener("click", () => drop(row));
    rows.push(row);
    list.append(item);
    setState(row, "checking");
    return row;
  }

  async function check(row) {
    const question = new URLSearchParams({ filename: row.file.name, size: row.file.size });
    try {
      const answer = await fetch(`${form.dataset.check}?${question}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(await answer.text());
      const found = await answer.json();
      row.facts.textContent = found.facts;
      say(row, found.sentence);
      setState(row, found.takes ? (found.sentence ? "taken" : "ready") : "refused");
    } catch (error) {
      say(row, error instanceof TypeError ? "The server could not be reached; remove the file and choose it again." : error.message);
      setState(row, "refused");
    }
  }

  async function choose(files) {
    says.textContent = "";
    const added = [...files].map(add);
    for (const row of added) await check(row);
    const refused = added.filter((row) => row.state === "refused").length;
    says.textContent = refused ? `${refused} of ${added.length} cannot be uploaded.` : "";
  }

  function answerOf(request) {
    if (request.getResponseHeader("Content-Type")?.startsWith("application/json")) return JSON.parse(request.responseText).files[0];
    return { outcome: "refused", sentence: request.status === 0 ? LOST : request.responseText.trim(), warnings: [] };
  }

  function show(row, answer) {
    setState(row, answer.outcome);
    say(row, answer.sentence);
    if (answer.url) {
      const link = document.createElement("a");
      link.href = answer.url;
      link.textContent = `Show ${answer.release}`;
      row.sentence.append(" ", link);
    }
    for (const warning of answer.warnings) row.sentence.append(` Warning: ${warning}`);
  }

  function send(row) {
    const body = new FormData();
    body.append("csrf_token", form.elements.namedItem("csrf_token").value); // first, as in the form
    body.append("content", row.file, row.file.name);
    say(row, "");
    setState(row, "sending");
    return new Promise((resolve) => {
      const request = (row.request = new XMLHttpRequest());
      request.upload.addEventListener("progress", (event) => {
        if (event.loaded < event.total) row.bar.value = event.loaded / event.total;
        else row.bar.removeAttribute("value"); // all is sent; the server checks it
      });
      request.addEventListener("loadend", () => {
        row.request = null;
        if (rows.includes(row)) show(row, answerOf(request));
        resolve();
      });
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(body);
    });
  }

  async function sendAll() {
    const chosen = rows.filter(isWilling);
    isSending = true;
    for (const row of chosen) setState(row, "waiting");
    for (const row of chosen) {
      says.textContent = `Sending ${row.file.name} …`;
      if (rows.includes(row)) await send(row);
    }
    isSending = false;
    count();
    const done = chosen.filter((row) => row.state === "published" || row.state === "unchanged").length;
    says.textContent = `${done} of ${chosen.length} ${chosen.length === 1 ? "file is" : "files are"} on the server.`;
  }

  form.classList.add("live");
  form.noValidate = true; // dropped files are not in the input
  count();
  input.addEventListener("click", () => {
    input.value = ""; // so that a file that was built anew can be chosen again
  });
  input.addEventListener("change", () => choose(input.files));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (rows.some(isWilling)) sendAll();
    else input.click();
  });
  addEventListener("beforeunload", (event) => {
    if (isSending) event.preventDefault();
  });

  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const mark = (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    form.querySelector("[data-drop]").classList.toggle("over", event.type === "dragover");
  };
  for (const kind of ["dragover", "dragleave", "drop"]) addEventListener(kind, mark);
  addEventListener("drop", (event) => {
    if (hasFiles(event)) choose(event.dataTransfer.files);
  });
}
