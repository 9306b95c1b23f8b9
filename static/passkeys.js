// Passkeys. A form with data-passkey="register" or "sign-in" carries its options as JSON in data-options; when it is
// sent, the device is asked first, and its answer goes along in the hidden field "credential".
"use strict";

{
  const METHODS = { register: "create", "sign-in": "get" };
  const SAYS = {
    NotAllowedError: "The device did not answer: the question was dismissed, took too long, or found no passkey to use. Try again.",
    InvalidStateError: "This device holds a passkey of this account already; use it, or choose another device.",
    ConstraintError: "This device cannot verify who you are by PIN, fingerprint or face; choose another one.",
    NotSupportedError: "This device makes no passkeys that can be used here; choose another one.",
    SecurityError: "Passkeys do not work at this address; open the server by its own name, over HTTPS.",
  };
  const LACKING = "This browser has no passkeys here: they need a current browser, and HTTPS.";
  const OTHERWISE = "The passkey could not be used; load the page again, or choose another way.";

  const isAble =
    navigator.credentials !== undefined &&
    typeof globalThis.PublicKeyCredential?.parseCreationOptionsFromJSON === "function" &&
    typeof globalThis.PublicKeyCredential.parseRequestOptionsFromJSON === "function";

  function say(form, sentence) {
    const place = form.querySelector("[data-passkey-error]");
    if (!place) return;
    place.hidden = sentence === "";
    place.textContent = sentence;
  }

  function setEnabled(form, isEnabled) {
    for (const button of form.querySelectorAll("button")) button.disabled = !isEnabled;
  }

  async function ask(form) {
    const options = JSON.parse(form.dataset.options);
    const publicKey =
      METHODS[form.dataset.passkey] === "create"
        ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
        : PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials[METHODS[form.dataset.passkey]]({ publicKey });
    return JSON.stringify(credential.toJSON());
  }

  async function send(form) {
    say(form, "");
    setEnabled(form, false);
    try {
      form.elements.namedItem("credential").value = await ask(form);
      form.submit(); // not requestSubmit: that would come back here
    } catch (error) {
      say(form, SAYS[error.name] ?? OTHERWISE);
      setEnabled(form, true);
    }
  }

  const forms = document.querySelectorAll('form[data-passkey="register"], form[data-passkey="sign-in"]');
  for (const form of forms) {
    setEnabled(form, isAble); // browsers remember what was disabled before a reload
    if (!isAble) say(form, LACKING);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (isAble) send(form);
    });
  }

  // A page that comes back from the browser's memory has options that were answered already.
  if (forms.length > 0) {
    addEventListener("pageshow", (event) => {
      if (event.persisted) location.reload();
    });
  }
}
