// Decides whether a change of nf_tables takes something away that is ours, or that lets ours pass.

import { PREFIX } from '../../nat/iptables-rules.ts';
import { FILTERS, FORWARD } from '../../nat/forward-policy.ts';
import { PORT_TABLE } from '../../nat/port-table.ts';
import { TABLE } from '../../nat/table.ts';
import { decodeNfEvent, type NfChange } from '../../netlink/nf-events.ts';
import { NFPROTO_BRIDGE, NFPROTO_INET, NFPROTO_IPV4, NFPROTO_IPV6 } from '../../netlink/nf-message.ts';
import type { Event } from '../../netlink/subscription.ts';

const FAMILIES = new Map([
	[NFPROTO_INET, 'inet'],
	[NFPROTO_IPV4, 'ip'],
	[NFPROTO_IPV6, 'ip6'],
	[NFPROTO_BRIDGE, 'bridge'],
]);

/** Where iptables-nft has what leads into our chains. */
const BUILT_IN = new Set(['PREROUTING', 'INPUT', FORWARD, 'OUTPUT', 'POSTROUTING']);

/**
 * Reads what is told, and tells what was taken away by each transaction, in words, with who it was: `table "inet mesos_overlay" was
 * removed by process 4711 (nft)`. What the process `self` does is none of it.
 */
export function createRemovalReader(onRemoval: (cause: string) => void, self = process.pid): (event: Event) => void {
	let pending: NfChange[] = [];
	return (event) => {
		const decoded = decodeNfEvent(event);
		if (decoded === undefined) return;
		if (decoded.kind !== 'end') {
			if (decoded.kind === 'newTable' || removalOf(decoded) !== undefined) pending.push(decoded);
			return;
		}
		const removed = pending;
		pending = [];
		if (decoded.process === self) return;
		for (const what of summaryOf(removed)) onRemoval(`${what} by process ${decoded.process} (${decoded.name})`);
	};
}

/** What went with its table is not worth a word. */
function summaryOf(changes: readonly NfChange[]): Set<string> {
	const removed = new Set(changes.filter(({ kind }) => kind === 'table').map(nameOf));
	const made = new Set(changes.filter(({ kind }) => kind === 'newTable').map(nameOf));
	const words = changes.map((change) => {
		const table = nameOf(change);
		if (!removed.has(table)) return removalOf(change);
		return made.has(table) ? `${table} was replaced` : `${table} was removed`;
	});
	return new Set(words.filter((text) => text !== undefined));
}

function nameOf({ table }: NfChange): string {
	return `table "${FAMILIES.get(table.family)} ${table.name}"`;
}

/** What a change takes away, in words; undefined: nothing that matters. */
function removalOf(change: NfChange): string | undefined {
	const table = nameOf(change);
	if (isOwnTable(change)) return removalOfOurs(change, table);
	return isOfIptables(change) ? removalOfWay(change, table) : undefined;
}

function removalOfOurs(change: NfChange, table: string): string | undefined {
	switch (change.kind) {
		case 'table':
			return `${table} was removed`;
		case 'chain':
			return `chain "${change.chain}" of ${table} was removed`;
		case 'rule':
			return `a rule of chain "${change.chain}" of ${table} was removed`;
		case 'set':
			return `set "${change.set}" of ${table} was removed`;
		case 'element':
			return `an element of set "${change.set}" of ${table} was removed`;
		default:
			return undefined;
	}
}

/** Of tables of iptables: what leads into our chains, and what lets ours pass. */
function removalOfWay(change: NfChange, table: string): string | undefined {
	switch (change.kind) {
		case 'table':
			return `${table} was removed`;
		case 'chain':
			return change.chain.startsWith(PREFIX) ? `chain "${change.chain}" of ${table} was removed` : undefined;
		case 'rule':
			return BUILT_IN.has(change.chain) ? `a rule of chain "${change.chain}" of ${table} was removed` : undefined;
		case 'policy': {
			const isForward = change.table.name === FILTERS[4].name && change.chain === FORWARD;
			return isForward && change.drops
				? `the policy of chain "${FORWARD}" of ${table} was set to drop`
				: undefined;
		}
		default:
			return undefined;
	}
}

function isOwnTable({ table }: NfChange): boolean {
	return [TABLE, PORT_TABLE].some(({ name, family }) => name === table.name && family === table.family);
}

function isOfIptables({ table }: NfChange): boolean {
	return table.family === NFPROTO_IPV4 || table.family === NFPROTO_IPV6;
}
