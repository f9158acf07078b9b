// Reads the events of a subscription that are there, without waiting for any.

import { systemCode } from '../../linux/errno.ts';
import { readNext } from '../../linux/files.ts';
import { awaitReadable } from '../../linux/readable.ts';
import { decodeEvents, type Event, isAnswer } from '../../netlink/subscription.ts';

interface EventHandlers {
	readonly onEvent: (event: Event) => void;
	/** The answer to a `wake`. */
	readonly onAnswer: () => void;
	/** There was no room for some of them, and the others have been dropped. */
	readonly onLoss: () => void;
}

export interface EventReader {
	/** Tells those of a datagram of so many bytes that has been read into the buffer. */
	tell(length: number): void;
	/** Tells those of so many datagrams that are there. Throws SystemCallError. */
	takeWaiting(most: number): void;
	/** To be called when a read has said that some were lost. */
	lose(): void;
}

/** More than there is room for. */
const MOST_DROPPED = 100_000;

/** A reader by a buffer of EVENT_SIZE bytes. */
export function createEventReader(
	descriptor: number,
	buffer: Buffer,
	{ onEvent, onAnswer, onLoss }: EventHandlers,
): EventReader {
	/** Undefined: some were lost. */
	const readOne = (): number | undefined => {
		try {
			return readNext(descriptor, buffer);
		} catch (error) {
			if (isLoss(error)) return undefined;
			throw error;
		}
	};
	const tell = (length: number): void => {
		for (const event of decodeEvents(buffer.subarray(0, length))) {
			if (isAnswer(event)) onAnswer();
			else onEvent(event);
		}
	};
	const lose = (): void => {
		// As long as anything is left, the kernel adds nothing, and does not say so (netlink_overrun).
		for (let dropped = 0; dropped < MOST_DROPPED && awaitReadable(descriptor, 0); dropped++) readOne();
		onLoss();
	};
	const takeWaiting = (most: number): void => {
		for (let taken = 0; taken < most && awaitReadable(descriptor, 0); taken++) {
			const length = readOne();
			if (length === undefined) lose();
			else tell(length);
		}
	};
	return { tell, takeWaiting, lose };
}

/** Whether an error of a read says that events were lost. */
export function isLoss(error: unknown): boolean {
	return systemCode(error) === 'ENOBUFS';
}
