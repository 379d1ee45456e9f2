"use strict";
// The crystal in three dimensions, and one of its modes as a motion of its atoms.

// atoms drawn at most; with many more, a slow computer draws a few pictures a second
const MOST_ATOMS = 400;
// pictures of one period; with fewer, the motion has jerks
const FRAMES = 24;
const PERIOD_MS = 1600;
// neighbours are joined up to this multiple of the nearest distance of either atom; with more, second ones are, too
const BOND_REACH = 1.12;
// where the largest displacement of the picture is drawn, in Å, at an amplitude of 1
const LARGEST_SHIFT_A = 0.5;
// with fewer atoms than this in a cell, two are drawn along each vector
const FEW_ATOMS = 8;
// how far from a face, as a share of the box, an atom is on it and drawn on the opposite one, too
const ON_FACE = 1e-3;
// 3Dmol leaves room for perspective, which is not used
const ZOOM = 1.7;

/** 3Dmol is half a megabyte: it is loaded when there is a crystal to draw. */
softmode.viewer3D = async () => {
  if (!softmode._3Dmol) softmode._3Dmol = softmode.addScript("assets/3Dmol-min.js");
  await softmode._3Dmol;
  return window.$3Dmol;
};

/** The one viewer of the page, which moves from entry to entry: browsers have few drawing contexts. */
let stage = null;

function makeStage($3Dmol) {
  const place = softmode.element("div", { class: "canvas" });
  document.body.append(place);
  if (!document.createElement("canvas").getContext("webgl2")) return { place, viewer: null };
  // as the only one of a grid, it draws on the screen, without a copy of each picture
  const viewer = $3Dmol.createViewer(place, { disableFog: true, antialias: true, rows: 1, cols: 1, row: 0, col: 0 });
  viewer.setProjection("orthographic");
  return { place, viewer };
}

/** Return a crystal that is drawn in an element: {show(source, cells), animate(mode), play(on), amplitude(value)}. */
softmode.makeCrystal = async (place, details) => {
  const $3Dmol = await softmode.viewer3D();
  stage ??= makeStage($3Dmol);
  stage.crystal?.stop();
  const { viewer } = stage;
  if (!viewer) {
    place.textContent = "This browser draws nothing in three dimensions (WebGL is off).";
    return null;
  }
  place.replaceChildren(stage.place);
  viewer.resize();
  viewer.setBackgroundColor(softmode.colour("--paper"));
  const crystal = { viewer, place, timer: 0, frame: 0, size: 1, moving: true, mode: null };
  stage.crystal = crystal;

  crystal.stop = () => { cancelAnimationFrame(crystal.timer); crystal.timer = 0; };

  crystal.show = (source, cells) => {
    const of = details.modes[source];
    crystal.of = of;
    crystal.atoms = atomsOf(of, cells);
    crystal.mode = null;
    crystal.frame = 0;
    viewer.removeAllShapes();
    drawEdges(viewer, latticeOf(of, of.drawn_lattice));
    drawAtoms($3Dmol, crystal);
    if (!crystal.shown) {
      viewer.setView([0, 0, 0, 0, 0, 0, 0, 1]);
      // the third vector upwards, seen a little from the side and from above
      viewer.rotate(-90, "x");
      viewer.rotate(-25, "y");
      viewer.rotate(12, "x");
    }
    viewer.zoomTo();
    viewer.zoom(ZOOM);
    crystal.shown = true;
    viewer.render();
  };

  crystal.animate = (mode) => {
    crystal.mode = mode;
    drawAtoms($3Dmol, crystal);
    crystal.play(crystal.moving);
  };

  crystal.play = (on) => {
    crystal.moving = on;
    crystal.stop();
    if (!on || !crystal.mode) return;
    let last = 0;
    const step = (now) => {
      if (!place.isConnected) { crystal.stop(); return; }
      if (now - last >= PERIOD_MS / FRAMES) {
        last = now;
        crystal.frame = (crystal.frame + 1) % FRAMES;
        crystal.model.setFrame(crystal.frame);
        viewer.render();
      }
      crystal.timer = requestAnimationFrame(step);
    };
    crystal.timer = requestAnimationFrame(step);
  };

  crystal.amplitude = (value) => { crystal.size = value; drawAtoms($3Dmol, crystal); viewer.render(); };
  return crystal;
};

/** Return in Å the vectors that are given as sums of those of the primitive cell. */
function latticeOf(of, rows) {
  return rows.map((row) => [0, 1, 2].map((axis) => row.reduce((sum, n, i) => sum + n * of.lattice[i][axis], 0)));
}
softmode.unitLattice = (of) => latticeOf(of, of.unit_lattice);

/** Return the position in Å of atom j of the primitive cell in the cell R. */
function positionOf(of, j, cell) {
  return [0, 1, 2].map((axis) => of.positions[j].reduce((sum, x, i) => sum + (x + cell[i]) * of.lattice[i][axis], 0));
}
softmode.positionOf = positionOf;

/** Return how many cells are drawn along each vector: so many that a mode at q fits, where that is possible. */
softmode.cellsFor = (of, q) => {
  const along = of.drawn_lattice.map((row) => row.reduce((sum, n, i) => sum + n * q[i], 0));
  const fits = (value) => [1, 2, 3, 4].find((n) => Math.abs(n * value - Math.round(n * value)) < 1e-3) ?? 2;
  const cells = along.map(fits);
  const inOne = of.symbols.length * Math.abs(softmode.determinant(of.drawn_lattice));
  const count = () => inOne * cells[0] * cells[1] * cells[2];
  if (count() < FEW_ATOMS) cells.forEach((n, axis) => { if (n === 1) cells[axis] = 2; });
  while (count() > MOST_ATOMS && cells.some((n) => n > 1)) cells[cells.indexOf(Math.max(...cells))] -= 1;
  return cells;
};

/** Return the atoms of so many cells, those on faces on both sides: {j, cell, at}. */
function atomsOf(of, cells) {
  const box = of.drawn_lattice.map((row, axis) => row.map((n) => n * cells[axis]));
  const reciprocal = softmode.inverse(box);
  // the box in vectors of the primitive cell reaches so far along each of them
  const reach = [0, 1, 2].map((axis) => {
    const ends = box.map((row) => row[axis]);
    return [ends.reduce((sum, n) => sum + Math.min(n, 0), 0) - 1, ends.reduce((sum, n) => sum + Math.max(n, 0), 0) + 1];
  });
  const found = [];
  of.positions.forEach((position, j) => {
    for (let a = reach[0][0]; a <= reach[0][1]; a += 1) {
      for (let b = reach[1][0]; b <= reach[1][1]; b += 1) {
        for (let c = reach[2][0]; c <= reach[2][1]; c += 1) {
          const cell = [a, b, c];
          const inside = [0, 1, 2].every((axis) => {
            const x = cell.reduce((sum, n, i) => sum + (n + position[i]) * reciprocal[i][axis], 0);
            return x > -ON_FACE && x < 1 + ON_FACE;
          });
          if (inside) found.push({ j, cell, at: positionOf(of, j, cell) });
        }
      }
    }
  });
  return found;
}

/** Return the neighbours of each atom that a line joins it to. */
function bondsOf(atoms) {
  const distance = (one, other) => Math.hypot(one.at[0] - other.at[0], one.at[1] - other.at[1], one.at[2] - other.at[2]);
  // nearest of each kind, as atoms at the border of the picture lack neighbours
  const nearest = new Map();
  const near = (one, d) => { if (d > 0.1 && d < (nearest.get(one.j) ?? Infinity)) nearest.set(one.j, d); };
  atoms.forEach((one, i) => { for (let k = 0; k < i; k += 1) { const d = distance(one, atoms[k]); near(one, d); near(atoms[k], d); } });
  return atoms.map((one, i) => atoms.flatMap((other, k) => {
    if (k === i) return [];
    return distance(one, other) <= BOND_REACH * Math.max(nearest.get(one.j), nearest.get(other.j)) ? [k] : [];
  }));
}

/** Return the atoms as 3Dmol takes them, at so many pictures of a period; one picture without a mode. */
function drawAtoms($3Dmol, crystal) {
  const { atoms, of, mode, viewer } = crystal;
  const bonds = bondsOf(atoms);
  const shifts = mode ? shiftsOf(of, atoms, mode, crystal.size) : null;
  viewer.removeAllModels();
  const model = viewer.addModel();
  const frames = [];
  for (let frame = 0; frame < (shifts ? FRAMES : 1); frame += 1) {
    const angle = (2 * Math.PI * frame) / FRAMES;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    frames.push(atoms.map((atom, index) => {
      const moved = shifts ? [0, 1, 2].map((axis) => shifts[index].re[axis] * cos + shifts[index].im[axis] * sin) : [0, 0, 0];
      const elem = of.symbols[atom.j];
      return {
        elem, index, serial: index, x: atom.at[0] + moved[0], y: atom.at[1] + moved[1], z: atom.at[2] + moved[2],
        bonds: bonds[index], bondOrder: bonds[index].map(() => 1), hetflag: true, atom: elem,
      };
    }));
  }
  model.addAtoms(frames[0]);
  const styled = model.selectedAtoms({});
  const style = { sphere: { radius: 0.42, colorscheme: "Jmol" }, stick: { radius: 0.1, colorscheme: "Jmol" } };
  for (const atom of styled) { atom.bonds = bonds[atom.index]; atom.bondOrder = atom.bonds.map(() => 1); }
  model.setStyle({}, style);
  if (shifts) {
    for (const frame of frames) {
      model.addFrame(frame.map((atom, index) => ({ ...styled[index], x: atom.x, y: atom.y, z: atom.z })));
    }
    model.setFrame(crystal.frame);
  }
  crystal.model = model;
}

/** Return how each atom moves, in Å: real and imaginary part, the largest of all LARGEST_SHIFT_A times `size`. */
function shiftsOf(of, atoms, { q, vector }, size) {
  const n = 3 * of.symbols.length;
  const moved = atoms.map(({ j, cell }) => {
    const phase = 2 * Math.PI * (q[0] * cell[0] + q[1] * cell[1] + q[2] * cell[2]);
    const [cos, sin] = [Math.cos(phase) / Math.sqrt(of.masses[j]), Math.sin(phase) / Math.sqrt(of.masses[j])];
    const parts = [0, 1, 2].map((axis) => [vector[3 * j + axis], vector[n + 3 * j + axis]]);
    return { re: parts.map(([x, y]) => x * cos - y * sin), im: parts.map(([x, y]) => x * sin + y * cos) };
  });
  const largest = Math.max(...moved.map(({ re, im }) => Math.hypot(...re, ...im)));
  const scale = (LARGEST_SHIFT_A * size) / largest;
  return moved.map(({ re, im }) => ({ re: re.map((x) => x * scale), im: im.map((x) => x * scale) }));
}

function drawEdges(viewer, lattice) {
  const corner = (a, b, c) => {
    const at = [0, 1, 2].map((axis) => a * lattice[0][axis] + b * lattice[1][axis] + c * lattice[2][axis]);
    return { x: at[0], y: at[1], z: at[2] };
  };
  for (let axis = 0; axis < 3; axis += 1) {
    for (const [b, c] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      const [from, to] = [0, 1].map((a) => { const at = [b, c]; at.splice(axis, 0, a); return corner(...at); });
      viewer.addLine({ start: from, end: to, color: softmode.colour("--muted") });
    }
  }
}

/** Return the elements with the colours that the atoms are drawn in. */
softmode.elementColours = async (symbols) => {
  const $3Dmol = await softmode.viewer3D();
  return [...new Set(symbols)].map((symbol) => {
    const number = $3Dmol.elementColors.Jmol[symbol] ?? 0xff1493;
    return { symbol, colour: `#${number.toString(16).padStart(6, "0")}` };
  });
};
