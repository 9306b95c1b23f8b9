// Light or dark, where somebody chose it: before anything is drawn, so that no page flashes. Else the system decides.
"use strict";

const KEPT = "appearance";

function wear(choice) {
  if (choice === "light" || choice === "dark") document.documentElement.dataset.appearance = choice;
  else delete document.documentElement.dataset.appearance;
}

function kept() {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

wear(kept());
document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-appearance-choice]");
  const choice = place?.querySelector("select");
  if (!choice) return;
  choice.value = kept();
  place.hidden = false;
  choice.addEventListener("change", () => {
    wear(choice.value);
    try {
      localStorage.setItem(KEPT, choice.value);
    } catch {
      // It holds for this page.
    }
  });
});
