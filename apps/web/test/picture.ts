import { deflateSync, crc32 } from 'node:zlib';

/** A picture as PNG: a sky over hills. Made here, so that nobody has to hold its rights. @param width,height In pixels. */
export function picture(width: number, height: number): Buffer {
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x += 1) row.set(colourAt(x / width, y / height), 1 + x * 3);
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Where `x` and `y` run from 0 to 1. */
function colourAt(x: number, y: number): [number, number, number] {
  const near = 0.78 + 0.06 * Math.sin(x * 7 + 1);
  const far = 0.6 + 0.09 * Math.sin(x * 4 + 2.5);
  if (y > near) return [46, 110 + 40 * (1 - y), 70];
  if (y > far) return [88, 150, 120 + 30 * (1 - y)];
  if ((x - 0.72) ** 2 * 2.2 + (y - 0.28) ** 2 < 0.008) return [255, 236, 179];
  return [150 + 90 * y, 196 + 30 * y, 232];
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
