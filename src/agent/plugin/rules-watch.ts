// Watches whether somebody takes the rules of this host away. nf_tables tells; the older iptables does not.

import { isKernelError } from '../../netlink/netlink-error.ts';
import { NETLINK_NETFILTER } from '../../netlink/socket.ts';
import { EVENT_SIZE, NFNLGRP_NFTABLES, subscribe, type Subscription } from '../../netlink/subscription.ts';
import { createEventReader } from '../kernel/event-reader.ts';
import { createRemovalReader } from './removals.ts';

export interface RulesWatch {
	/** What has been taken away and not forgotten since, in words. */
	causes(): readonly string[];
	/** Forgets what has been seen to. */
	forget(causes: readonly string[]): void;
	stop(): void;
}

/**
 * Milliseconds from one look at what was told to the next. Nobody waits in read(2) as for rtnetlink: the pool of threads of
 * one edition has as many as there are processors, and two that never come back would leave a small host none.
 */
const INTERVAL = 150;
/** From one repair to the next, so that a quarrel with somebody who keeps changing things costs little. */
const REPAIR_AFTER = 500;
/** So many datagrams are taken at a time. */
const AT_ONCE = 2000;
/** So many causes are kept. */
const MOST_CAUSES = 20;

/** Calls `onRemoval` when something has been taken away. Without nf_tables, nothing is told. Throws NetlinkError. */
export function watchRules(onRemoval: () => void, onFailure: (error: unknown) => void): RulesWatch {
	const subscription = subscribeIfThere();
	let causes: string[] = [];
	let isNew = false;
	let last = -Infinity;
	let timer: NodeJS.Timeout | undefined;

	const notice = (cause: string): void => {
		isNew = true;
		if (causes.length < MOST_CAUSES) causes.push(cause);
	};
	const stop = (): void => {
		clearInterval(timer);
		subscription?.close();
	};
	if (subscription !== undefined) {
		const reader = createEventReader(subscription.descriptor, Buffer.allocUnsafeSlow(EVENT_SIZE), {
			onEvent: createRemovalReader(notice),
			onAnswer: () => {},
			onLoss: () => notice('more rules changed at once than could be told'),
		});
		timer = setInterval(() => {
			try {
				reader.takeWaiting(AT_ONCE);
			} catch (error) {
				stop();
				onFailure(error);
			}
			if (!isNew || performance.now() - last < REPAIR_AFTER) return;
			isNew = false;
			last = performance.now();
			onRemoval();
		}, INTERVAL);
	}
	return {
		causes: () => [...causes],
		forget: (known) => {
			causes = causes.slice(known.length);
		},
		stop,
	};
}

function subscribeIfThere(): Subscription | undefined {
	try {
		return subscribe(NETLINK_NETFILTER, [NFNLGRP_NFTABLES]);
	} catch (error) {
		if (isKernelError(error, 'EPROTONOSUPPORT', 'EINVAL', 'ENOENT')) return undefined;
		throw error;
	}
}
