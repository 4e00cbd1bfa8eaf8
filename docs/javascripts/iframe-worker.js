// The search of pages that are opened from a folder. Browsers start no worker there, so the script of
// the worker runs in a hidden frame. MkDocs Material would load such a script from another server.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.srcdoc = "<!doctype html><body></body>";
      this.started = new Promise((done) => {
        this.frame.addEventListener("load", () => this.start(String(url), done), { once: true });
      });
      document.body.append(this.frame);
    }

    start(url, done) {
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      const script = inside.document.createElement("script");
      script.src = new URL(url, document.baseURI).href;
      script.addEventListener("load", done);
      inside.document.body.append(script);
    }

    async postMessage(data) {
      await this.started;
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }));
    }

    terminate() {
      this.frame.remove();
    }
  };
}
