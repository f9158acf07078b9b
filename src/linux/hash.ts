// A short, stable name for a longer text. Not for secrets.

const DIGITS = '0123456789abcdefghijklmnopqrstuv';

/**
 * Two mixed 32-bit hashes of the text's UTF-16 units (the finaliser of MurmurHash3, public domain): node:crypto costs
 * more than half an ADD's own work to load, and names need spread, not secrecy.
 */
function mix(text: string, seed: number): number {
	let hash = seed ^ text.length;
	for (let at = 0; at < text.length; at++) {
		hash = Math.imul(hash ^ text.charCodeAt(at), 0xcc9e2d51);
		hash = (hash << 15) | (hash >>> 17);
		hash = Math.imul(hash, 5) + 0xe6546b64;
	}
	hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
	hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
	return (hash ^ (hash >>> 16)) >>> 0;
}

/** The 32-bit hash of a text, as an unsigned number. */
export function hash32(text: string): number {
	return mix(text, 0x9747b28c);
}

/** A 62-bit hash of a text, as 13 characters of lower-case base32hex (RFC 4648 §7), fit for file and device names. */
export function hash64(text: string): string {
	let digits = '';
	for (let half of [mix(text, 0x9747b28c), mix(text, 0x3c6ef372)]) {
		for (let digit = 0; digit < 7; digit++) {
			digits += DIGITS[half & 31];
			half >>>= 5;
		}
	}
	return digits.slice(0, 13);
}

/** The longest part of a file's name, in characters: NAME_MAX has room for an interface and a number behind it. */
export const LONGEST_NAME = 200;

/** Room for the hash that completes a text, and the character before it. */
const COMPLETION = 20;

/** A text that is at most so long; a longer one is cut, and told apart by its hash, after a character that no id or name has. */
export function shortened(text: string, longest: number): string {
	return text.length <= longest ? text : `${text.slice(0, longest - COMPLETION)}~${hash64(text)}`;
}
