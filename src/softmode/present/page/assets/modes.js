"use strict";
// Modes of a crystal from its force constants: dynamical matrix, eigenvectors, the softest mode.
//
// Phases are those of lattice vectors, not of positions: an atom j of cell R moves by Re[e_j exp(2πi q·R − iωt)] / √m_j,
// and so e_j is phonopy's eigenvector times exp(2πi q·x_j).

/** Return the dynamical matrix in eV/Å²/u at a q point, as {size, re, im}, row after row.
 *
 *  of: mode data of one source, see modes.py; born: charges and dielectric tensor, or null;
 *  direction: of q, from which Γ is approached, in the same reduced coordinates; it counts at Γ with `born` only. */
softmode.dynamicalMatrix = (of, q, born = null, direction = null) => {
  const n = of.symbols.length;
  const size = 3 * n;
  const re = new Float64Array(size * size);
  const im = new Float64Array(size * size);
  const nSupercell = of.of_supercell.length;
  const polar = born ? polarTerm(of, born, q.some((value) => Math.abs(value) > 1e-8) ? q : direction) : null;
  for (let i = 0; i < n; i += 1) {
    const constants = of.force_constants[i];
    for (let s = 0; s < nSupercell; s += 1) {
      const j = of.of_supercell[s];
      const images = of.images[i][s];
      const number = images.length / 3;
      let cos = 0;
      let sin = 0;
      for (let at = 0; at < images.length; at += 3) {
        const phase = 2 * Math.PI * (q[0] * images[at] + q[1] * images[at + 1] + q[2] * images[at + 2]);
        cos += Math.cos(phase) / number;
        sin += Math.sin(phase) / number;
      }
      const weight = 1 / Math.sqrt(of.masses[i] * of.masses[j]);
      for (let a = 0; a < 3; a += 1) {
        for (let b = 0; b < 3; b += 1) {
          let value = constants[9 * s + 3 * a + b] * of.step_eV_per_A2;
          // Wang et al.: the same constant for all pairs of equal atoms, of which there are n_supercell / n
          if (polar) value += (polar[(3 * i + a) * size + 3 * j + b] * n) / nSupercell;
          const at = (3 * i + a) * size + 3 * j + b;
          re[at] += value * weight * cos;
          im[at] += value * weight * sin;
        }
      }
    }
  }
  for (let row = 0; row < size; row += 1) {
    for (let column = row; column < size; column += 1) {
      const [one, other] = [row * size + column, column * size + row];
      re[one] = re[other] = (re[one] + re[other]) / 2;
      im[one] = (im[one] - im[other]) / 2;
      im[other] = -im[one];
    }
  }
  return { size, re, im };
};

/** Return 4π e² (q·Z_i)(q·Z_j) / (V q·ε·q) in eV/Å² of all pairs of atoms; null without a direction. */
function polarTerm(of, born, q) {
  if (!q) return null;
  const reciprocal = inverse(of.lattice);
  // a reduced q point is a sum of the columns of the inverse lattice
  const k = [0, 1, 2].map((axis) => q[0] * reciprocal[axis][0] + q[1] * reciprocal[axis][1] + q[2] * reciprocal[axis][2]);
  const screened = k.reduce((sum, ka, a) => sum + k.reduce((part, kb, b) => part + ka * born.dielectric[a][b] * kb, 0), 0);
  const factor = (4 * Math.PI * born.e2_eV_A) / (Math.abs(determinant(of.lattice)) * screened);
  const charges = born.charges.flatMap((tensor) => [0, 1, 2].map((b) => k.reduce((sum, ka, a) => sum + ka * tensor[a][b], 0)));
  return charges.flatMap((one) => charges.map((other) => factor * one * other));
}

function determinant([a, b, c]) {
  return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0]);
}

softmode.determinant = determinant;
softmode.inverse = inverse;
function inverse(matrix) {
  const d = determinant(matrix);
  const minor = (row, column) => {
    const [r, s] = [(row + 1) % 3, (row + 2) % 3];
    const [u, v] = [(column + 1) % 3, (column + 2) % 3];
    return matrix[r][u] * matrix[s][v] - matrix[r][v] * matrix[s][u];
  };
  return [0, 1, 2].map((row) => [0, 1, 2].map((column) => minor(column, row) / d));
}

/** Return eigenvalues and eigenvectors of a Hermitian matrix, by rotations of Jacobi; `vectors` has one in each row,
 *  its n real parts before its n imaginary ones. The order is that of the values. */
softmode.eigen = ({ size: n, re, im }) => {
  const a = Float64Array.from(re);
  const b = Float64Array.from(im);
  // rows of u are the eigenvectors, conjugated
  const u = new Float64Array(n * n);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) u[i * n + i] = 1;
  let scale = 0;
  for (let i = 0; i < n * n; i += 1) scale += a[i] * a[i] + b[i] * b[i];
  for (let sweep = 0; sweep < 60; sweep += 1) {
    let off = 0;
    for (let p = 0; p < n; p += 1) for (let q = p + 1; q < n; q += 1) off += a[p * n + q] ** 2 + b[p * n + q] ** 2;
    if (off <= 1e-22 * scale) break;
    for (let p = 0; p < n; p += 1) {
      for (let q = p + 1; q < n; q += 1) {
        const size = Math.hypot(a[p * n + q], b[p * n + q]);
        if (size * size <= 1e-26 * scale) continue;
        // D_pq = size · e^{iφ}; the rotation is that of a real matrix once row q is turned by φ
        const cosPhi = a[p * n + q] / size;
        const sinPhi = b[p * n + q] / size;
        const theta = (a[q * n + q] - a[p * n + p]) / (2 * size);
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        rotateRows(a, b, n, p, q, c, s, cosPhi, sinPhi);
        rotateRows(u, v, n, p, q, c, s, cosPhi, sinPhi);
        rotateColumns(a, b, n, p, q, c, s, cosPhi, sinPhi);
      }
    }
  }
  const order = [...Array(n).keys()].sort((one, other) => a[one * n + one] - a[other * n + other]);
  return {
    values: order.map((row) => a[row * n + row]),
    vectors: order.map((row) => {
      const vector = new Float64Array(2 * n);
      for (let i = 0; i < n; i += 1) {
        vector[i] = u[row * n + i];
        vector[n + i] = -v[row * n + i];
      }
      return vector;
    }),
  };
};

// row p becomes c·p − s·e^{iφ}·q, row q becomes s·e^{−iφ}·p + c·q, of the matrix x + iy
function rotateRows(x, y, n, p, q, c, s, cosPhi, sinPhi) {
  for (let i = 0; i < n; i += 1) {
    const [xp, yp, xq, yq] = [x[p * n + i], y[p * n + i], x[q * n + i], y[q * n + i]];
    x[p * n + i] = c * xp - s * (cosPhi * xq - sinPhi * yq);
    y[p * n + i] = c * yp - s * (cosPhi * yq + sinPhi * xq);
    x[q * n + i] = s * (cosPhi * xp + sinPhi * yp) + c * xq;
    y[q * n + i] = s * (cosPhi * yp - sinPhi * xp) + c * yq;
  }
}

// the same for columns, with the conjugate of the rotation
function rotateColumns(x, y, n, p, q, c, s, cosPhi, sinPhi) {
  for (let i = 0; i < n; i += 1) {
    const [at, to] = [i * n + p, i * n + q];
    const [xp, yp, xq, yq] = [x[at], y[at], x[to], y[to]];
    x[at] = c * xp - s * (cosPhi * xq + sinPhi * yq);
    y[at] = c * yp - s * (cosPhi * yq - sinPhi * xq);
    x[to] = s * (cosPhi * xp - sinPhi * yp) + c * xq;
    y[to] = s * (cosPhi * yp + sinPhi * xp) + c * yq;
  }
}

/** Return frequencies in THz, imaginary ones negative, and eigenvectors at a q point; see `eigen` for their form. */
softmode.modesAt = (details, source, q, born = null, direction = null) => {
  const found = softmode.eigen(softmode.dynamicalMatrix(details.modes[source], q, born, direction));
  const frequencies = found.values.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)) * details.factor_THz);
  return { frequencies, vectors: found.vectors };
};

/** Return the q point of a point of the path. */
softmode.qOfPath = (bands, segment, point) => {
  const distances = bands.distances[segment];
  const last = distances.length - 1;
  const share = point / last;
  const [from, to] = bands.ends[segment];
  return from.map((value, axis) => value + share * (to[axis] - value));
};

// A frequency in THz below which a mode counts as imaginary here, where acoustic modes near Γ are -0.01 by rounding
const IMAGINARY_THZ = -0.05;

/** Return the softest mode of a source as {segment, point, band, frequency}: the lowest frequency at the named points of
 *  the path, without the three acoustic modes of Γ, or an imaginary one between them that is lower; null without bands. */
softmode.softest = (bands, source) => {
  const segments = bands?.frequencies_THz[source];
  if (!segments) return null;
  let best = null;
  segments.forEach((of, segment) => {
    const last = of[0].length - 1;
    for (let point = 0; point <= last; point += 1) {
      const isEnd = point === 0 || point === last;
      const atGamma = isEnd && bands.labels[segment][point ? 1 : 0] === "GAMMA";
      const acoustic = new Set(atGamma
        ? of.map((band, index) => [Math.abs(band[point]), index]).sort((one, other) => one[0] - other[0]).slice(0, 3).map(([, index]) => index)
        : []);
      of.forEach((band, index) => {
        const frequency = band[point];
        if (acoustic.has(index) || (!isEnd && frequency > IMAGINARY_THZ)) return;
        if (!best || frequency < best.frequency) best = { segment, point, band: index, frequency };
      });
    }
  });
  return best;
};
