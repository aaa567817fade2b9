function scanpyAnim(host, film, style) {
  if (host.shadowRoot) return;
  const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
  const icons = {
    play: icon("M7 4v16l13-8z"),
    pause: icon("M6 4h4v16H6zM14 4h4v16h-4z"),
    back: icon("M6 5h3v14H6zM19 5v14l-9-7z"),
    next: icon("M15 5h3v14h-3zM5 5v14l9-7z"),
    loop: icon("M7 7h10v3l4-4-4-4v3H5v6h2zM17 17H7v-3l-4 4 4 4v-3h12v-6h-2z"),
  };
  const source = host.querySelector("video").getAttribute("src").split(",")[1];
  host.replaceChildren(host.querySelector("img")); // shown where the film cannot play
  const root = host.attachShadow({ mode: "open" });
  root.innerHTML = `<style>${style}</style>
    <div class="player" role="group">
      <div class="stage"><video muted playsinline preload="auto" role="img"></video><slot></slot></div>
      <p class="sorry" role="alert">This browser cannot play the film (VP9 video): this is its last frame.</p>
      <div class="controls">
        <button class="play" type="button"></button>
        <button class="back" type="button" aria-label="Previous frame" title="Previous frame (←)">${icons.back}</button>
        <button class="next" type="button" aria-label="Next frame" title="Next frame (→)">${icons.next}</button>
        <input type="range" min="0" step="1" value="0" aria-label="Frame">
        <select aria-label="Speed" title="Speed">
          <option value="0.25">¼×</option><option value="0.5">½×</option>
          <option value="1" selected>1×</option><option value="2">2×</option><option value="4">4×</option>
        </select>
        <button class="loop" type="button" aria-label="Loop" title="Loop">${icons.loop}</button>
      </div>
      <div class="words"><span class="title" aria-live="polite"></span><span class="count"></span></div>
    </div>`;
  const find = (selector) => root.querySelector(selector);
  const [video, slider, play, loop] = ["video", "input", ".play", ".loop"].map(find);
  const last = film.starts.length - 2;
  let frame = -1; // the one on screen
  let wanted = null; // the one to seek to once the seek under way has ended
  let showings = 0;
  let playing = false; // what was asked for: the browser's own state follows

  const middle = (i) => (film.starts[i] + film.starts[i + 1]) / 2;
  function frameAt(time) {
    let low = 0, high = last;
    while (low < high) {
      const between = (low + high + 1) >> 1;
      if (film.starts[between] <= time + 1e-4) low = between;
      else high = between - 1;
    }
    return low;
  }
  function say(i) {
    if (i === frame) return;
    frame = i;
    const title = film.titles[i] || "";
    slider.value = i;
    slider.setAttribute("aria-valuetext", `${title ? title + ", " : ""}frame ${i + 1} of ${last + 1}`);
    find(".title").textContent = title;
    find(".count").textContent = `${i + 1} / ${last + 1}`;
  }
  function seek(i) {
    say(i);
    if (video.seeking) wanted = i;
    else video.currentTime = middle(i);
  }
  function step(to) {
    stop();
    seek(Math.max(0, Math.min(last, to)));
  }
  function follow() {
    if (!playing) return;
    if (!video.seeking) say(frameAt(video.currentTime));
    requestAnimationFrame(follow);
  }
  function paint() {
    play.innerHTML = playing ? icons.pause : icons.play;
    play.setAttribute("aria-label", playing ? "Pause" : "Play");
    play.title = playing ? "Pause (space)" : "Play (space)";
    loop.setAttribute("aria-pressed", String(video.loop));
    find(".title").setAttribute("aria-live", playing ? "off" : "polite");
  }
  function start() {
    if (playing) return;
    playing = true;
    wanted = null;
    if (video.ended || frame === last) {
      say(0);
      video.currentTime = 0;
    }
    video.play().catch(() => { if (video.paused) stop(); });
    follow();
    paint();
  }
  function stop() {
    playing = false;
    video.pause();
    paint();
  }
  function toggle() {
    showings = 0;
    if (playing) stop();
    else start();
  }

  root.firstElementChild.nextElementSibling.setAttribute("aria-label", film.description || "Film");
  video.setAttribute("aria-label", film.description || "Film");
  find(".stage").style.width = `${film.width}px`;
  find(".controls").style.width = find(".words").style.width = `max(${film.width}px, 320px)`;
  video.muted = true; // the attribute alone does not let every browser start it
  video.style.aspectRatio = `${film.width} / ${film.height}`;
  slider.max = last;
  video.loop = film.loop === 0;
  video.addEventListener("seeked", () => {
    if (wanted === null) return;
    const i = wanted;
    wanted = null;
    seek(i);
  });
  video.addEventListener("ended", () => {
    showings += 1;
    if (showings < film.loop) {
      video.currentTime = 0;
      video.play().catch(stop);
    } else {
      stop();
      say(last);
    }
  });
  video.addEventListener("error", () => find(".player").classList.add("broken"));
  video.addEventListener("click", toggle);
  play.addEventListener("click", toggle);
  find(".back").addEventListener("click", () => step(frame - 1));
  find(".next").addEventListener("click", () => step(frame + 1));
  slider.addEventListener("input", () => step(Number(slider.value)));
  find("select").addEventListener("change", (event) => {
    video.defaultPlaybackRate = video.playbackRate = Number(event.target.value);
  });
  loop.addEventListener("click", () => {
    video.loop = !video.loop;
    paint();
  });
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target.localName;
    const moves = { ArrowLeft: frame - 1, ArrowRight: frame + 1, Home: 0, End: last };
    if (event.key in moves && inside !== "select") step(moves[event.key]);
    else if (event.key === " " && inside === "input") toggle();
    else return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
  });

  const bytes = Uint8Array.from(atob(source), (letter) => letter.charCodeAt(0));
  video.src = URL.createObjectURL(new Blob([bytes], { type: "video/webm" }));
  say(0);
  paint();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
    let resting = true; // paused because out of sight, not because someone said so
    new IntersectionObserver(([entry]) => {
      if (entry.isIntersecting && resting) {
        resting = false;
        start();
      } else if (!entry.isIntersecting && playing) {
        resting = true;
        stop();
      }
    }, { threshold: 0.1 }).observe(video);
  }
}
