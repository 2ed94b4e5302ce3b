// Parts of a page that change by themselves: what is new is put in, what is the same stays, with its focus.
const fabricMerge = (() => {
  /** Make a list's children those of another one, by their data-key; what is the same stays as it is. */
  function merge(old, fresh) {
    const before = new Map([...old.children].map((child) => [child.dataset.key, child]));
    let place = old.firstElementChild;
    for (const wanted of [...fresh.children]) {
      let child = before.get(wanted.dataset.key);
      before.delete(wanted.dataset.key);
      if (child && child.tagName === wanted.tagName) {
        if (child === place) place = place.nextElementSibling;
        else old.insertBefore(child, place);
        if ("list" in wanted.dataset && "list" in child.dataset) merge(child, wanted);
        else if (!child.isEqualNode(wanted)) {
          keepOpen(child, wanted);
          child.replaceWith(wanted);
        }
      } else {
        child?.remove();
        if (child === place) place = place?.nextElementSibling ?? null;
        old.insertBefore(wanted, place);
      }
    }
    for (const child of before.values()) child.remove();
  }

  function keepOpen(old, fresh) {
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    [...fresh.querySelectorAll("details")].forEach((one, index) => (one.open = open[index] ?? one.open));
  }

  return merge;
})();
