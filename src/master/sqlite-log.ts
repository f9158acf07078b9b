// The write-ahead log of a master that was killed, before SQLite reads it: SQLite takes what is before the first damage, and
// forgets the rest in silence. https://www.sqlite.org/fileformat2.html#the_write_ahead_log

import { readFileSync } from 'node:fs';
import { systemCode } from '../linux/errno.ts';
import { StoreError } from './store.ts';

const HEADER_SIZE = 32;
const FRAME_HEADER_SIZE = 24;
/** The last bit says in which byte order the checksums are computed; the numbers themselves are big-endian. */
const MAGIC = 0x377f0682;

/** Whether there is a log with something in it. Throws StoreError when something that was durable is damaged. */
export function checkLog(path: string, tried: string): boolean {
	let log: Buffer;
	try {
		log = readFileSync(`${path}-wal`);
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return false;
		throw error;
	}
	if (isDamaged(log)) throw new StoreError('corrupt', `${tried}: its log is damaged, restore a backup`);
	return log.length > 0;
}

/**
 * Whether a log has lost something that had been durable. What was being written when the power failed may be there in part:
 * nobody was answered then. But each change is durable before the next one is begun, so a change with others behind it was whole.
 */
function isDamaged(log: Buffer): boolean {
	if (log.length <= HEADER_SIZE) return false;
	const magic = log.readUInt32BE(0);
	const isBigEndian = (magic & 1) === 1;
	const salts = log.subarray(16, 24);
	let sums = addChecksum([0, 0], log.subarray(0, 24), isBigEndian);
	if ((magic & ~1) !== MAGIC || !hasChecksum(log.subarray(24), sums)) return true;
	const size = FRAME_HEADER_SIZE + log.readUInt32BE(8);
	let isWhole = true;
	let isEndOfLost = false;
	for (let at = HEADER_SIZE; at + size <= log.length; at += size) {
		const frame = log.subarray(at, at + size);
		// Frames with other salts are of an earlier use of the file.
		const isCurrent = frame.subarray(8, 16).equals(salts);
		if (isWhole) {
			sums = addChecksum(sums, frame.subarray(0, 8), isBigEndian);
			sums = addChecksum(sums, frame.subarray(FRAME_HEADER_SIZE), isBigEndian);
			isWhole = isCurrent && hasChecksum(frame.subarray(16), sums);
		}
		if (isWhole || !isCurrent) continue;
		if (isEndOfLost) return true;
		// The last frame of a change has the size of the database.
		isEndOfLost = frame.readUInt32BE(4) !== 0;
	}
	return false;
}

type Checksum = readonly [number, number];

/** The checksum of what was summed up before, and of bytes behind it. */
function addChecksum([first, second]: Checksum, bytes: Buffer, isBigEndian: boolean): Checksum {
	let [one, other] = [first, second];
	for (let at = 0; at < bytes.length; at += 8) {
		const [low, high] = isBigEndian
			? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
			: [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
		one = (one + low + other) >>> 0;
		other = (other + high + one) >>> 0;
	}
	return [one, other];
}

function hasChecksum(bytes: Buffer, [one, other]: Checksum): boolean {
	return bytes.readUInt32BE(0) === one && bytes.readUInt32BE(4) === other;
}
