// The host's part of the networks in the kernel: made of what the master says and what the underlay is like, and kept.

import { messageOf } from '../../ipam/lease-error.ts';
import { NETLINK_ROUTE, openConnection } from '../../netlink/socket.ts';
import { VTEP } from '../../overlay/vtep.ts';
import type { AgentOptions } from '../agent-options.ts';
import type { ClusterState } from '../master/cluster-state.ts';
import { NOTHING } from './host-state.ts';
import { type Report, startKeeper } from './keeper.ts';
import type { Log } from '../log.ts';
import type { AgentMetrics } from '../status/metrics.ts';
import { isTrouble, type Trouble, troubleOfError, troubleOfFailures } from '../status/network-status.ts';
import { findUnderlay } from './underlay.ts';
import { wishOf } from '../wanted.ts';

export interface KernelPart {
	/** Has the kernel be as a state says. Resolves when it is, or when it is known what is wrong; never rejects. */
	want(state: ClusterState): Promise<void>;
	/** Looks whether the underlay has changed, and tries again what failed. Never rejects. */
	look(): Promise<void>;
	/** Of the networks, in bytes; 0: not known yet. */
	mtu(): number;
	stop(): Promise<void>;
}

interface Surroundings {
	readonly log: Log;
	readonly metrics: AgentMetrics;
	/** Called with what is wrong now. */
	readonly onTrouble: (trouble: Trouble) => void;
}

/** Milliseconds for a look at the underlay. */
const LOOK_LIMIT = 10_000;
/** Of several, so many are told. */
const MOST_FAILURES = 3;
const MOST_PROBLEMS = 10;

/** Throws NetlinkError when the kernel cannot be listened to. */
export function startKernelPart(
	{ ip, mtu: ownMtu }: Pick<AgentOptions, 'ip' | 'mtu'>,
	{ log, metrics, onTrouble }: Surroundings,
): KernelPart {
	let state: ClusterState | undefined;
	let underlayMtu = 0;
	let mtu = 0;
	let isTroubled = false;
	let unreachable = '';

	const keeper = startKeeper({
		vtep: VTEP.name,
		onApplied: tellReport,
		onError: (error) => setTrouble(troubleOfError(error)),
	});

	function setTrouble(trouble: Trouble): void {
		isTroubled = isTrouble(trouble);
		onTrouble(trouble);
	}

	function tellReport({ causes, actions, failures, milliseconds }: Report): void {
		metrics.applied(actions.length, failures.length, milliseconds / 1000, causes.length > 0);
		const details = { actions: actions.length, milliseconds: Math.round(milliseconds) };
		if (causes.length > 0) log('warn', 'repaired', { ...details, causes });
		else log('info', 'applied', details);
		for (const { action, error } of failures.slice(0, MOST_FAILURES)) {
			log('error', 'not applied', { action: action.do, error: messageOf(error) });
		}
		setTrouble(troubleOfFailures(failures));
	}

	async function bringAbout(): Promise<void> {
		if (state === undefined) return;
		try {
			underlayMtu = readUnderlayMtu(ip);
			const wish = wishOf(state, { ip, underlayMtu, ...(ownMtu !== undefined && { mtu: ownMtu }) });
			mtu = wish?.wanted.vtep?.mtu ?? mtu;
			tellUnreachable(wish?.problems ?? []);
			const { failures } = await keeper.want(wish?.wanted ?? NOTHING);
			setTrouble(troubleOfFailures(failures));
		} catch (error) {
			setTrouble(troubleOfError(error));
		}
	}

	function tellUnreachable(problems: readonly string[]): void {
		const text = problems.join('; ');
		metrics.unreachable(problems.length);
		if (text !== unreachable && text !== '') {
			log('warn', 'unreachable', { problems: problems.slice(0, MOST_PROBLEMS) });
		}
		unreachable = text;
	}

	return {
		want: (next) => {
			state = next;
			return bringAbout();
		},
		look: async () => {
			try {
				if (readUnderlayMtu(ip) !== underlayMtu) await bringAbout();
				else if (isTroubled) setTrouble(troubleOfFailures((await keeper.compare()).failures));
			} catch {
				await bringAbout();
			}
		},
		mtu: () => mtu,
		stop: () => keeper.stop(),
	};
}

function readUnderlayMtu(ip: string): number {
	const connection = openConnection(NETLINK_ROUTE, performance.now() + LOOK_LIMIT);
	try {
		return findUnderlay(connection, ip).mtu;
	} finally {
		connection.close();
	}
}
