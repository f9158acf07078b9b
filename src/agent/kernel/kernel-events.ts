// Waits for what rtnetlink tells, without holding up anything else, and without looking again and again.

import { read } from 'node:fs';
import { NETLINK_ROUTE } from '../../netlink/socket.ts';
import { EVENT_SIZE, type Event, GROUPS, subscribe } from '../../netlink/subscription.ts';
import { createEventReader, isLoss } from './event-reader.ts';

/** What is told of what has changed. */
export interface Listener {
	readonly onEvent: (event: Event) => void;
	/** So much changed at once that some of it was lost. Nothing of it will be told any more. */
	readonly onLoss: () => void;
	/** Nothing will be told any more. */
	readonly onFailure: (error: unknown) => void;
}

export interface Listening {
	/** Calls back when all that has happened until now has been told, or is lost. */
	afterThat(reached: () => void): void;
	stop(): void;
}

/** So many datagrams are taken at a time, before others have their turn: more than we cause between two turns. */
const AT_ONCE = 5000;

/**
 * Tells what changes in the current network namespace. A thread of the runtime's pool waits in read(2), which both
 * editions can, while neither takes a netlink socket for one. Throws NetlinkError.
 */
export function listen({ onEvent, onLoss, onFailure }: Listener): Listening {
	const { descriptor, wake, close } = subscribe(NETLINK_ROUTE, Object.values(GROUPS));
	const buffer = Buffer.allocUnsafeSlow(EVENT_SIZE);
	/** Those who wait for an answer, of which there is one already. */
	let waiting = [(): void => {}];
	let isOpen = true;
	const reader = createEventReader(descriptor, buffer, {
		onEvent,
		onAnswer: () => waiting.shift()?.(),
		onLoss: () => {
			// Their answers are lost, too.
			const all = waiting;
			waiting = [];
			for (const reached of all) reached();
			onLoss();
		},
	});
	const take = (error: NodeJS.ErrnoException | null, length: number): void => {
		if (error === null) reader.tell(length);
		else if (isLoss(error)) reader.lose();
		else if (error.code !== 'EINTR' && error.code !== 'EAGAIN') throw error;
		reader.takeWaiting(AT_ONCE);
	};
	const next = (): void => {
		read(descriptor, buffer, 0, EVENT_SIZE, null, (error, length) => {
			try {
				if (isOpen) take(error, length);
			} catch (failure) {
				isOpen = false;
				onFailure(failure);
			}
			if (isOpen) next();
			else close();
		});
	};
	next();
	return {
		afterThat: (reached) => {
			waiting.push(reached);
			wake();
		},
		stop: () => {
			isOpen = false;
			// The thread is in the kernel: a descriptor that is closed under it would keep it there.
			wake();
		},
	};
}
