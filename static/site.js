// What a page gains where scripts run: copy buttons, and "/" for the search. Everything works without.
"use strict";

const says = document.createElement("div");
says.className = "hidden";
says.setAttribute("role", "status");
document.body.append(says);

async function copy(code) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(code.textContent);
    return;
  }
  // Over plain HTTP browsers have no clipboard interface; the selection can still be copied.
  getSelection().selectAllChildren(code);
  if (!document.execCommand("copy")) throw new Error("not copied");
}

for (const box of document.querySelectorAll("[data-copy]")) {
  const code = box.querySelector("code");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", `Copy ${box.dataset.copy}`);
  button.addEventListener("click", async () => {
    try {
      await copy(code);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Press Ctrl+C";
    }
    says.textContent = button.textContent;
    setTimeout(() => {
      button.textContent = "Copy";
      says.textContent = "";
    }, 2000);
  });
  box.append(button);
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const search = document.querySelector("[data-search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// "3 hours ago" for what was lately; the moment itself is in the title, and in the page where no scripts run. What is to
// come keeps its date: "until in 13 days" is no sentence, and a day by which something is to be done has one.
const AGO = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];
function sayAgo(place) {
  for (const time of place.querySelectorAll("time[datetime]")) {
    const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
    if (!(seconds > -30 * 86400 && seconds < 60)) continue; // the minute is for a clock that is slow
    const [unit, length] = UNITS.find(([, least]) => Math.abs(seconds) >= least) ?? ["minute", 60];
    time.title = time.textContent;
    time.textContent = AGO.format(Math.trunc(seconds / length), unit);
  }
}
sayAgo(document);
