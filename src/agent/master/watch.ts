// Reads a stream of server-sent events as it comes.

import type { Readable } from 'node:stream';
import { decodeWatchEvent, type WatchEvent } from '../../overlay/watch-wire.ts';

/** Longer than any event: one agent is some 300 bytes. */
const LONGEST_EVENT = 64 * 1024 * 1024;

/** Cuts a text that comes in pieces into what is between empty lines. */
export function createSplitter(onPart: (part: string) => void): (piece: string) => void {
	let text = '';
	/** Up to where there is no end. */
	let searched = 0;
	return (piece) => {
		text += piece;
		for (;;) {
			const end = text.indexOf('\n\n', searched);
			if (end === -1) break;
			const part = text.slice(0, end);
			text = text.slice(end + 2);
			searched = 0;
			onPart(part);
		}
		searched = Math.max(0, text.length - 1);
		if (text.length > LONGEST_EVENT) throw new TypeError(`an event has more than ${LONGEST_EVENT} characters`);
	};
}

/**
 * Hands over the events of a stream until it ends. Throws what the stream throws, what decoding an event throws, and an error
 * with the code `ETIMEDOUT` when nothing came for `silence` milliseconds, not even a heartbeat.
 */
export function readEvents(stream: Readable, onEvent: (event: WatchEvent) => void, silence: number): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	const fail = (error: unknown): void => {
		reject(error instanceof Error ? error : new Error(String(error)));
		stream.destroy();
	};
	const tooQuiet = (): void =>
		fail(Object.assign(new Error(`nothing came for ${silence} ms`), { code: 'ETIMEDOUT' }));
	let timer = setTimeout(tooQuiet, silence);
	const take = createSplitter((part) => {
		const event = decodeWatchEvent(part);
		if (event !== undefined) onEvent(event);
	});
	stream.setEncoding('utf8');
	stream.on('data', (piece: string) => {
		clearTimeout(timer);
		timer = setTimeout(tooQuiet, silence);
		try {
			take(piece);
		} catch (error) {
			fail(error);
		}
	});
	stream.on('error', fail);
	stream.on('close', resolve);
	return promise.finally(() => clearTimeout(timer));
}
