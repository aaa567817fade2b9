/** Small helpers for elements. */

/** @param {string} tag @param {Record<string, any>} [attributes] @param {...(Node | string)} children
 * @returns {any} */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children);
  return element;
}

/** @type {Record<string, string>} */
const ICONS = {
  play: 'M7 4.5v15l12-7.5z', pause: 'M7 5h3.5v14H7zM13.5 5H17v14h-3.5z',
  back: 'M6 5h2v14H6zM18.5 5v14L9 12z', next: 'M16 5h2v14h-2zM5.500 5v14L15 12z',
  closer: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z', farther: 'M5 11h14v2H5z',
  home: 'M12 4l9 8h-3v8h-4.500v-5h-3v5H6v-8H3z',
  lasso: 'M12 4c5 0 9 2.500 9 6s-4 6-9 6c-.8 0-1.500 0-2.200-.2-.2 2.300-1.600 4-4 4.700l-.6-1.900c1.700-.5 2.500-1.700 2.600-3.400C5 14 3 12.200 3 10c0-3.500 4-6 9-6zm0 2c-4 0-7 1.800-7 4s3 4 7 4 7-1.800 7-4-3-4-7-4z',
  photo: 'M9 5h6l1.500 2H21v12H3V7h4.500zM12 9a4 4 0 100 8 4 4 0 000-8z',
  film: 'M3 6h12v4.500L21 7v10l-6-3.500V18H3z',
  full: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
};

/** @param {string} icon */
function drawn(icon) {
  const space = 'http://www.w3.org/2000/svg', svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.append(document.createElementNS(space, 'path'));
  svg.firstElementChild?.setAttribute('d', ICONS[icon]);
  return svg;
}

/** @param {string} icon @param {string} label @param {() => void} act
 * @param {Record<string, any>} [more] */
function iconButton(icon, label, act, more = {}) {
  return make('button', {type: 'button', class: icon, 'aria-label': label, title: label, onclick: act, ...more}, drawn(icon));
}

/** Give a file to the reader. @param {Blob | null} blob @param {string} name */
function download(blob, name) {
  if (!blob) return;
  const link = make('a', {href: URL.createObjectURL(blob), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

/** @param {string} text @returns {Promise<void>} */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make('textarea', {style: 'position:fixed;opacity:0'});
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (!done) throw new Error('not copied');
  }
}
