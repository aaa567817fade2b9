/** Small helpers for elements. */

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children
 * @returns {any} */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** @type {Record<string, string>} */
const ICONS = {
  Play: 'M7 4v16l12-8z', Pause: 'M7 5h4v14H7zM14 5h4v14h-4z',
  back: 'M6 5h2v14H6zM18 5v14L9 12z', next: 'M16 5h2v14h-2zM6 5v14l9-7z',
  closer: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z', farther: 'M5 11h14v2H5z',
  home: 'M12 4l9 8h-3v8h-5v-5h-2v5H6v-8H3z',
  lasso: 'M12 4a9 6 0 100 12 9 6 0 000-12zm0 2a7 4 0 110 8 7 4 0 010-8zM8 14l-3 7h2l3-7z',
  photo: 'M9 5h6l2 2h4v12H3V7h4zm3 4a4 4 0 100 8 4 4 0 000-8z',
  film: 'M3 6h12v4l6-3v10l-6-3v4H3z',
  full: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
};

/** Have a button show and say something else. @param {any} button @param {string} icon @param {string} [label] */
function relabel(button, icon, label = icon) {
  button.title = label;
  button.ariaLabel = label;
  button.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[icon]}"/></svg>`;
  return button;
}

/** @param {string} icon @param {string} label @param {() => void} onclick */
function iconButton(icon, label, onclick) {
  return relabel(make('button', {class: icon, onclick}), icon, label);
}

/** @param {any} button @param {unknown} on */
function press(button, on) {
  button.ariaPressed = `${!!on}`;
}

/** Give a file to the reader. @param {BlobPart[]} content @param {string} type @param {string} name */
function download(content, type, name) {
  const href = URL.createObjectURL(new Blob(content, {type}));
  make('a', {href, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

/** Copy a text, if the browser lets the page do so, in frames and without a secure connection, too. @param {string} text */
function copy(text) {
  const area = make('textarea', {style: 'position:fixed;opacity:0'});
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}
