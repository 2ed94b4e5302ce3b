// What browsers have and jsdom has not, and JupyterLab's packages name as they are loaded.
globalThis.DragEvent ??= class extends MouseEvent {} as typeof DragEvent;
window.matchMedia ??= query => Object.assign(new EventTarget(), { matches: false, media: query }) as MediaQueryList;
