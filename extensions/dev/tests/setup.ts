// What browsers have and jsdom has not, and JupyterLab's packages name as they are loaded or drawn.
globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
window.matchMedia ??= query => {
  const nothing = (): void => undefined;
  const told = { matches: false, media: query, addListener: nothing, removeListener: nothing };
  return Object.assign(new EventTarget(), told) as unknown as MediaQueryList;
};
window.requestIdleCallback ??= callback =>
  window.setTimeout(() => callback({ didTimeout: false, timeRemaining: () => 0 }));
window.cancelIdleCallback ??= handle => window.clearTimeout(handle);
Element.prototype.scrollIntoView ??= () => undefined;
