// Notices for a kernel that does not answer.

import type { Notice } from "./store";

export const GONE: Notice = {
  text: "The kernel was restarted or is gone.",
  hint: "Run the cell again; what you see is the last state.",
};

export const SILENT: Notice = {
  text: "The kernel does not answer: it is busy, or it was restarted.",
  hint: "What you see is the last state. After a restart, run the cell again.",
};
