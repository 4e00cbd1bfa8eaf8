// Buttons to train, pause, stop, undo and redo, and the progress of the training run.

import type { Connection } from "../connection";
import { button, grouped, h } from "../dom";
import type { Command, StatusState } from "../messages";
import type { Store } from "../store";
import { whyNoTraining } from "./learning";

export function header(store: Store, connection: Connection, signal: AbortSignal): HTMLElement {
  const act = (name: Command["name"]) => () => connection.command(name);
  const train = button("Train", "", () => connection.train(), signal, {
    class: "es-button es-primary",
  });
  const pause = button(
    "Pause",
    "Pause the run",
    () => connection.command(store.status?.is_paused ? "resume" : "pause"),
    signal,
  );
  const stop = button("Stop", "End the run and keep the best map so far", act("stop"), signal);
  const undo = button(
    "Undo",
    "Undo the last change of the selection or the gates",
    act("undo"),
    signal,
  );
  const redo = button("Redo", "Redo what was undone", act("redo"), signal);
  const bar = h("div", { class: "es-bar-fill" });
  const track = h(
    "div",
    {
      class: "es-bar",
      role: "progressbar",
      "aria-label": "Training",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    bar,
  );
  const text = h("span", { class: "es-status", role: "status", "aria-live": "polite" });

  const update = () => {
    const { status, catalog } = store;
    if (!status) return;
    const isActive = status.is_running || status.is_paused;
    const whyNot = whyNoTraining(store);
    train.disabled = isActive || !catalog?.n_samples || store.isLost || whyNot !== "";
    train.title = whyNot || "Train the map with these parameters";
    pause.disabled = stop.disabled = !isActive || store.isLost;
    pause.textContent = status.is_paused ? "Resume" : "Pause";
    nameStep(undo, "Undo", store.isLost ? "" : store.history.undo);
    nameStep(redo, "Redo", store.isLost ? "" : store.history.redo);
    bar.style.width = `${100 * status.fraction}%`;
    track.setAttribute("aria-valuenow", String(Math.round(100 * status.fraction)));
    track.classList.toggle("es-bar-idle", !isActive);
    text.textContent = describe(status, catalog?.n_samples ?? 0);
  };
  store.on(["status", "catalog", "history", "learning", "parameters"], update, signal);
  update();
  const group = (label: string, ...buttons: HTMLElement[]) =>
    h("div", { class: "es-group", role: "group", "aria-label": label }, ...buttons);
  const controls = store.isStatic ? [] : [group("Training", train, pause, stop)];
  const edits = store.isStatic ? [] : [group("History", undo, redo)];
  return h(
    "div",
    { class: "es-header" },
    ...controls,
    h("div", { class: "es-progress" }, text, track),
    ...edits,
  );
}

/** Disabled without such a step; else the title says what it does. */
function nameStep(step: HTMLButtonElement, verb: string, what: string): void {
  step.disabled = what === "";
  step.title = what ? `${verb}: ${what}` : `${verb}: nothing`;
}

export function describe(status: StatusState, nSamples: number): string {
  if (status.is_running || status.is_paused) {
    const parts = [status.message.replace(/\.$/, ""), `${Math.round(100 * status.fraction)} %`];
    if (status.is_running && status.seconds_left !== null) {
      parts.push(`about ${Math.max(1, Math.round(status.seconds_left))} s left`);
    }
    return parts.join(" · ");
  }
  const samples = `${grouped(nSamples)} samples`;
  return status.message ? `${samples} · ${status.message}` : samples;
}
