// The rules in nf_tables: a table whose rules never change, and sets whose elements come and go with containers.

import type { Connection } from '../netlink/connection.ts';
import type { Request } from '../netlink/message.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { commit } from '../netlink/nf-batch.ts';
import { shortenComment } from '../netlink/nf-comment.ts';
import { addElements, type Element, findElement, listElements, removeElements } from '../netlink/nf-element.ts';
import { quoted } from '../cni/quoted.ts';
import { hash64 } from '../linux/hash.ts';
import type { Table } from '../netlink/nf-message.ts';
import { listRules } from '../netlink/nf-rule.ts';
import { findTable } from '../netlink/nf-table.ts';
import type { Backend, TakenPort } from './backend.ts';
import {
	elementsOfAttachment,
	elementsOfNetworks,
	elementsOfPolicy,
	hostPortElement,
	type SetElement,
} from './elements.ts';
import { familyOf } from '../ip/address.ts';
import { groupBySet, keyOf } from './kernel-elements.ts';
import { type Family, type PortMapping, portsOf } from './port-mappings.ts';
import type { AttachmentRecord, NetworkRecord, Records } from './records.ts';
import { isPortSet, type SetName } from './sets.ts';
import { layPortTable, PORT_TABLE } from './port-table.ts';
import { layTable, TABLE } from './table.ts';

/** So many elements of a set are looked for one by one; beyond, the whole set is read, which takes the longer the more it holds. */
const FEW = 32;

/** The backend over a netfilter connection of the host. All of it throws NetlinkError. */
export function nfTables(connection: Connection): Backend {
	return {
		name: 'nftables',
		hasNetwork: ({ bridge }) => find(connection, { set: 'bridges', key: [bridge] }) !== undefined,
		findTaken: (record, records) => findTaken(connection, record, records),
		attach: (record, records) => commit(connection, requestsToAttach(record, records)),
		detach: (record, records) => detach(connection, record, records),
		restore: (records) => restore(connection, records),
		differences: (network, record, records) => differences(connection, network, record, records),
		fingerprint: () =>
			hash64(
				[TABLE, PORT_TABLE]
					.flatMap((table) => listRules(connection, table))
					.map(({ chain, expressions }) => `${chain} ${hex(expressions)}`)
					.join('\n'),
			),
		close: () => connection.close(),
	};
}

/** Who an element belongs to, as its comment says. */
function ownerOf({ containerId, ifname }: AttachmentRecord): string {
	return shortenComment(`${containerId} ${ifname}`);
}

function requestsToAttach(record: AttachmentRecord, records: () => Records): Request[] {
	const own = groupBySet(elementsOfAttachment(record), ownerOf(record));
	return [
		...own.flatMap(({ set, elements }) => addElements(tableOf(set), set, elements, { exclusive: true })),
		...requestsToAdd(pairsOf(record, records)),
	];
}

/** The table of the ports is there only once somebody needs it: not every kernel has nf_tables for bridges. */
function restore(connection: Connection, records: Records): void {
	const hasPorts =
		records.attachments.some(({ port }) => port !== undefined) || findTable(connection, PORT_TABLE) !== undefined;
	commit(connection, [...layTable(), ...(hasPorts ? layPortTable() : []), ...requestsToRestore(records)]);
}

function requestsToRestore({ networks, attachments }: Records): Request[] {
	return [
		...requestsToAdd(elementsOfNetworks(networks)),
		...attachments.flatMap((record) => requestsToAdd(elementsOfAttachment(record), ownerOf(record))),
		...requestsToAdd(attachments.flatMap((record) => elementsOfPolicy(record, attachments))),
	];
}

function requestsToAdd(elements: readonly SetElement[], owner?: string): Request[] {
	return groupBySet(elements, owner).flatMap((group) => addElements(tableOf(group.set), group.set, group.elements));
}

function tableOf(set: SetName): Table {
	return isPortSet(set) ? PORT_TABLE : TABLE;
}

/** What policies allow to an attachment and to others because of it: nobody's own, since it belongs to two. */
function pairsOf(record: AttachmentRecord, records: () => Records): SetElement[] {
	return record.policy === undefined ? [] : elementsOfPolicy(record, records().attachments);
}

function detach(connection: Connection, record: AttachmentRecord, records: () => Records): void {
	const groups = [
		...groupBySet(elementsOfAttachment(record), ownerOf(record)),
		...groupBySet(pairsOf(record, records)),
	];
	const present = groups.flatMap(({ set, elements }) => {
		const lookUp = lookInto(connection, set, elements.length);
		// Others may have flushed the table, or have put something of their own in our place.
		const ours = elements.filter(({ key, comment }) => {
			const found = lookUp(key);
			return found !== undefined && found.comment === comment;
		});
		return removeElements(tableOf(set), set, ours);
	});
	commit(connection, present);
}

/** The elements of a set by their keys: asked for one by one, or all at once when it is for many. */
function lookInto(connection: Connection, set: SetName, many: number): (key: Uint8Array) => Element | undefined {
	if (many <= FEW) return (key) => findElement(connection, tableOf(set), set, { key });
	const elements = new Map(list(connection, set).map((element) => [hex(element.key), element]));
	return (key) => elements.get(hex(key));
}

function find(connection: Connection, element: SetElement): Element | undefined {
	return findElement(connection, tableOf(element.set), element.set, keyOf(element));
}

/** None when somebody removed the table. */
function list(connection: Connection, set: SetName): Element[] {
	try {
		return listElements(connection, tableOf(set), set);
	} catch (error) {
		if (isKernelError(error, 'ENOENT')) return [];
		throw error;
	}
}

function hex(key: Uint8Array): string {
	return Buffer.from(key).toString('hex');
}

function findTaken(connection: Connection, record: AttachmentRecord, records: () => Records): TakenPort | undefined {
	const owner = ownerOf(record);
	for (const mapping of record.portMappings) {
		for (const family of mapping.families) {
			if (!record.addresses.some((address) => familyOf(address) === family)) continue;
			const holdersOf = whoHolds(connection, mapping, family);
			for (const [port] of portsOf(mapping)) {
				const holder = holdersOf(port).find((element) => element !== undefined && element.comment !== owner);
				if (holder === undefined) continue;
				const { protocol, hostIp } = mapping;
				return {
					port: `${hostIp === undefined ? '' : `${hostIp}:`}${port}/${protocol}`,
					holder: records().attachments.find((each) => ownerOf(each) === holder.comment),
				};
			}
		}
	}
	return undefined;
}

/** Finds who is in the way of a port of a mapping: at the same address of the host, at each of them, or at all. */
function whoHolds(
	connection: Connection,
	{ protocol, hostIp, count }: PortMapping,
	family: Family,
): (port: number) => (Element | undefined)[] {
	const everywhere = lookInto(connection, `host_ports${family}`, count);
	const keyAt = (port: number): Uint8Array => keyOf(hostPortElement({ protocol }, family, port)).key;
	if (hostIp !== undefined) {
		const there = lookInto(connection, `host_ip_ports${family}`, count);
		return (port) => [
			there(keyOf(hostPortElement({ protocol, hostIp }, family, port)).key),
			everywhere(keyAt(port)),
		];
	}
	const addressLength = family === 4 ? 4 : 16;
	const atSingle = new Map<string, Element>();
	for (const element of list(connection, `host_ip_ports${family}`)) {
		atSingle.set(hex(element.key.subarray(addressLength)), element);
	}
	return (port) => [everywhere(keyAt(port)), atSingle.get(hex(keyAt(port)))];
}

function differences(
	connection: Connection,
	network: NetworkRecord,
	record: AttachmentRecord | undefined,
	records: () => Records,
): string[] {
	const shared = elementsOfNetworks([network]).flatMap((element) => differenceOf(connection, element) ?? []);
	if (record === undefined) return shared;
	const owner = ownerOf(record);
	return [
		...shared,
		...elementsOfAttachment(record).flatMap((element) => differenceOf(connection, element, owner) ?? []),
		...pairsOf(record, records).flatMap((element) => differenceOf(connection, element) ?? []),
	];
}

function differenceOf(connection: Connection, element: SetElement, owner?: string): string | undefined {
	const name = `${element.key.join(' . ')} in set "${element.set}"`;
	const found = find(connection, element);
	if (found === undefined) return `${name} is missing`;
	if (found.comment !== owner) return `${name} belongs to ${quoted(found.comment)}`;
	const { data } = keyOf(element);
	const leadsElsewhere = data !== undefined && found.data !== undefined && hex(data) !== hex(found.data);
	return leadsElsewhere ? `${name} leads elsewhere than to ${element.data?.join(' . ')}` : undefined;
}
