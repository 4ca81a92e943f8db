// The pixels of the photo in space: the file that studio/editor/place.py writes, and the surface between them.

const MAGIC = 0x314c504d; // 'MPL1'
const EDGE = 1.1; // neighbouring pixels whose depths differ by more belong to two surfaces

// The file -> {width, height, depth, colours, positions, pixel}; pixel: its side at distance 1, in scene units
export function parse(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 32 || head.getUint32(0, true) !== MAGIC) throw new Error('not a place');
  const [width, height] = [head.getUint32(4, true), head.getUint32(8, true)];
  const [fx, fy, cx, cy] = [12, 16, 20, 24].map((at) => head.getFloat32(at, true));
  const count = width * height;
  if (buffer.byteLength !== 32 + count * 7) throw new Error('the place is cut short');
  const depth = new Float32Array(buffer, 32, count);
  const colours = new Uint8Array(buffer, 32 + 4 * count, 3 * count);
  const positions = new Float32Array(3 * count);
  for (let i = 0; i < count; i += 1) {
    const z = depth[i];
    positions[3 * i] = (((i % width) + 0.5 - cx) / fx) * z;
    positions[3 * i + 1] = ((Math.floor(i / width) + 0.5 - cy) / fy) * z;
    positions[3 * i + 2] = z;
  }
  return { width, height, depth, colours, positions, pixel: 1 / fx };
}

// The same of every `step`th pixel in every `step`th row
export function thinned(pixels, step) {
  if (step === 1) return pixels;
  const [width, height] = [Math.ceil(pixels.width / step), Math.ceil(pixels.height / step)];
  const kept = { width, height, pixel: pixels.pixel * step };
  for (const [name, size] of [['depth', 1], ['positions', 3], ['colours', 3]]) {
    kept[name] = new pixels[name].constructor(width * height * size);
    for (let i = 0; i < width * height; i += 1) {
      const from = size * (Math.floor(i / width) * step * pixels.width + (i % width) * step);
      for (let k = 0; k < size; k += 1) kept[name][size * i + k] = pixels[name][from + k];
    }
  }
  return kept;
}

// The triangles between neighbouring pixels, and the pixels at the edges of what they form, as indices of pixels
export function surface({ width, height, depth }) {
  const faces = new Uint32Array(6 * (width - 1) * (height - 1));
  const isRim = new Uint8Array(width * height);
  let count = 0;
  const face = (a, b, c) => {
    const low = Math.min(depth[a], depth[b], depth[c]);
    if (low > 0 && Math.max(depth[a], depth[b], depth[c]) < EDGE * low) {
      faces[count] = a;
      faces[count + 1] = b;
      faces[count + 2] = c;
      count += 3;
    } else {
      isRim[a] = 1;
      isRim[b] = 1;
      isRim[c] = 1;
    }
  };
  for (let row = 0; row < height - 1; row += 1) {
    for (let i = row * width; i < (row + 1) * width - 1; i += 1) {
      face(i, i + width, i + 1);
      face(i + 1, i + width, i + width + 1);
    }
  }
  const rim = [];
  for (let i = 0; i < isRim.length; i += 1) if (isRim[i] && depth[i] > 0) rim.push(i);
  return { faces: faces.slice(0, count), rim: Uint32Array.from(rim) };
}
