/** The few parts of the browser that the page's script uses; the compiler's own list would make them known to all of this code. */

export interface El {
  textContent: string | null;
  className: string;
  id: string;
  title: string;
  value: string;
  hidden: boolean;
  disabled: boolean;
  open: boolean;
  scrollTop: number;
  scrollLeft: number;
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly offsetTop: number;
  readonly style: { setProperty(name: string, value: string): void };
  readonly classList: { toggle(name: string, on: boolean): void; contains(name: string): boolean };
  readonly tagName: string;
  append(...parts: (El | string)[]): void;
  replaceChildren(...parts: (El | string)[]): void;
  setAttribute(name: string, value: string): void;
  getAttribute(name: string): string | null;
  removeAttribute(name: string): void;
  addEventListener(event: string, then: (event: Ev) => void): void;
  focus(options?: { preventScroll: boolean }): void;
  scrollIntoView(options?: { block: string }): void;
  closest(selector: string): El | null;
  querySelector(selector: string): El | null;
}

export interface Ev {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly target: El;
  preventDefault(): void;
}

export interface Doc {
  getElementById(id: string): El | null;
  createElement(tag: string): El;
  querySelectorAll(selector: string): Iterable<El>;
  addEventListener(event: string, then: (event: Ev) => void): void;
}

export interface Win {
  readonly location: { hash: string };
  readonly history: { replaceState(state: null, title: string, url: string): void };
  readonly navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } };
  addEventListener(event: string, then: (event: Ev) => void): void;
  setTimeout(then: () => void, afterMs: number): number;
  clearTimeout(timer: number): void;
  requestAnimationFrame(then: () => void): void;
}
