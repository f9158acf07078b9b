// The addresses that are given to nobody, `reserved`.

import { type Fields, readList, refuse } from '../cni/fields.ts';
import { type Family, parseAddress } from './address.ts';
import type { Span } from './span.ts';
import { invalid, lastAddress, readSubnet } from './subnet.ts';

/** Reserved addresses by their family; they may overlap, and lie anywhere. */
export type Reserved = Readonly<Record<Family, readonly Span[]>>;

/** Reads `ipam.reserved`: addresses, subnets, and runs such as `9.0.1.8-9.0.1.15`. Throws CniError (invalid configuration). */
export function readReserved(fields: Fields): Reserved | undefined {
	const list = readList(fields, 'reserved');
	if (list === undefined) return undefined;
	const reserved: Record<Family, Span[]> = { 4: [], 6: [] };
	for (const [index, text] of list.entries()) {
		const key = `reserved[${index}]`;
		if (typeof text !== 'string') refuse(fields, key, 'a string', text);
		else addEntry(reserved, text, fields.path + key);
	}
	return reserved;
}

function addEntry(reserved: Record<Family, Span[]>, text: string, key: string): void {
	if (text.includes('/')) {
		const subnet = readSubnet(text, key);
		reserved[subnet.family].push({ first: subnet.network, last: lastAddress(subnet) });
		return;
	}
	const [from = '', to = from, ...rest] = text.split('-');
	const first = parseAddress(from);
	const last = parseAddress(to);
	if (first === undefined || last?.family !== first.family || rest.length > 0) {
		const examples = '"9.0.1.9", "9.0.1.8/29" or "9.0.1.8-9.0.1.15"';
		throw invalid(key, text, `is no address, subnet or run of addresses, write it as ${examples}`);
	}
	if (last.value < first.value) throw invalid(key, text, `ends before it begins, write "${to}-${from}"`);
	reserved[first.family].push({ first: first.value, last: last.value });
}
