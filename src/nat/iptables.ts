// The rules in iptables, for hosts without nf_tables. Either variant of it will do: iptables-legacy and iptables-nft.
//
// All of our chains are written anew from the records, by one iptables-restore for each family that something changes in.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import type { Backend } from './backend.ts';
import { isSame } from './elements.ts';
import { familyOf } from '../ip/address.ts';
import { type Programs, runProgram, runRestore, SYSTEM_PATH } from './iptables-programs.ts';
import { type Chain, chainsOf, PREFIX } from './iptables-rules.ts';
import { changeInput, leadsToUs, parseSaved, repairInput, type Rule, rulesOf } from './iptables-text.ts';
import type { Family } from './port-mappings.ts';
import { type AttachmentRecord, LAYOUT, mergeNetwork, type NetworkRecord, type Records } from './records.ts';
import { findTakenPort } from './taken-ports.ts';

const FAMILIES: readonly Family[] = [4, 6];
const NAMES: Readonly<Record<Family, string>> = { 4: 'iptables', 6: 'ip6tables' };
const NOTHING: Records = { networks: [], attachments: [] };

/**
 * The backend by the programs in the directories of `path`. Nothing waits past `deadline` (ms of performance.now()). All of
 * it throws CniError 100, or 11 when a program takes too long.
 */
export function ipTables(deadline: number, path = SYSTEM_PATH): Backend {
	const programs = { deadline, path };
	/** Whoever asks for one network after the other asks for the same chains. */
	const whole = new Set<Family>();
	const isWholeOf = (family: Family): boolean => {
		if (!whole.has(family) && isWhole(programs, family)) whole.add(family);
		return whole.has(family);
	};
	return {
		name: 'iptables',
		hasNetwork: (network, isAlone = true) =>
			!isAlone || familiesOf({ ...NOTHING, networks: [network] }).every(isWholeOf),
		findTaken: (record, records) =>
			record.portMappings.length === 0 ? undefined : findTakenPort(record, records().attachments),
		attach(record, records) {
			refusePortChecks(record);
			const { others, all } = setApart(record, records());
			try {
				change(programs, others, all);
			} catch (error) {
				attempt(() => change(programs, all, others));
				throw error;
			}
		},
		detach(record, records) {
			const { others, all } = setApart(record, records());
			change(programs, all, others);
		},
		restore(records) {
			const used = familiesOf(records);
			for (const family of FAMILIES) {
				if (used.includes(family)) repair(programs, family, chainsOf(records, family));
				// Its programs may be missing, or the kernel may not have it.
				else attempt(() => clear(programs, family));
			}
		},
		differences: (network, record, records) => differences(programs, network, record, records),
		// What somebody edited is among the differences.
		fingerprint: () => `iptables ${LAYOUT}`,
		close: () => {},
	};
}

/** Whose MAC a frame has is seen by nf_tables for bridges only. */
function refusePortChecks({ port }: AttachmentRecord): void {
	if (port === undefined) return;
	throw new CniError(
		CniErrorCode.invalidConfiguration,
		`reading ${port.addresses === undefined ? 'macspoofchk' : 'spoofCheck'}: it takes nf_tables, and the rules of this host are kept by iptables; leave it out, or set natBackend to "nftables" where the kernel has it`,
	);
}

function familiesOf({ networks, attachments }: Records): Family[] {
	const texts = [
		...networks.flatMap(({ subnets, overlays }) => [...subnets, ...overlays]),
		...attachments.flatMap(({ addresses }) => addresses),
	];
	return FAMILIES.filter((family) => texts.some((text) => familyOf(text) === family));
}

/** All records but that of an attachment, and all with it as it should be. */
function setApart(
	record: AttachmentRecord | undefined,
	{ networks, attachments }: Records,
): { readonly others: Records; readonly all: Records } {
	if (record === undefined) return { others: { networks, attachments }, all: { networks, attachments } };
	const others = attachments.filter((each) => !isSame(each, record));
	return { others: { networks, attachments: others }, all: { networks, attachments: [...others, record] } };
}

/** Writes the chains of each family in which something is other than before. */
function change(programs: Programs, before: Records, after: Records): void {
	for (const family of FAMILIES) {
		const [old, chains] = [chainsOf(before, family), chainsOf(after, family)];
		const input = changeInput(chains, old);
		if (input === changeInput(chains, chains)) continue;
		if (!attempt(() => restore(programs, family, input))) repair(programs, family, chains);
	}
}

/** Whether packets still come into our chains: they do not after a flush. */
function isWhole(programs: Programs, family: Family): boolean {
	const chains = chainsOf(NOTHING, family);
	return attempt(() => restore(programs, family, changeInput(chains, chains)));
}

function attempt(work: () => void): boolean {
	try {
		work();
		return true;
	} catch {
		return false;
	}
}

function repair(programs: Programs, family: Family, chains: readonly Chain[]): void {
	restore(programs, family, repairInput(chains, parseSaved(save(programs, family))));
}

/** Takes our chains out of a family that nobody uses any more. */
function clear(programs: Programs, family: Family): void {
	const saved = parseSaved(save(programs, family));
	if (saved.chains.some(({ chain }) => chain.startsWith(PREFIX))) restore(programs, family, repairInput([], saved));
}

function restore(programs: Programs, family: Family, input: string): void {
	runRestore(programs, `${NAMES[family]}-restore`, input);
}

function save(programs: Programs, family: Family): string {
	return runProgram(programs, `${NAMES[family]}-save`, []);
}

function differences(
	programs: Programs,
	network: NetworkRecord,
	record: AttachmentRecord | undefined,
	records: () => Records,
): string[] {
	const recorded = records();
	const present = recorded.networks.find((each) => each.network === network.network);
	const networks = [...recorded.networks.filter((each) => each !== present), mergeNetwork(present, network)];
	const { others, all } = setApart(record, { ...recorded, networks });
	return familiesOf({ networks: [network], attachments: record === undefined ? [] : [record] }).flatMap((family) => {
		const saved = parseSaved(save(programs, family)).rules.filter(isOurs);
		const own = minus(rulesOf(chainsOf(all, family)), rulesOf(chainsOf(others, family)));
		const shared = rulesOf(chainsOf({ ...all, attachments: [] }, family));
		// Another call may have changed its own since the records were read.
		const known = [...rulesOf(chainsOf(all, family)), ...rulesOf(chainsOf(records(), family))];
		const describe = ({ table, chain, words }: Rule): string =>
			`rule "-A ${chain} ${words}" in table ${table} of ${NAMES[family]}`;
		return [
			...minus([...shared, ...own], saved).map((rule) => `${describe(rule)} is missing`),
			...minus(saved, known).map((rule) => `${describe(rule)} is not of the records`),
		];
	});
}

function isOurs(rule: Rule): boolean {
	return rule.chain.startsWith(PREFIX) || leadsToUs(rule);
}

function minus(rules: readonly Rule[], others: readonly Rule[]): Rule[] {
	const keyOf = ({ table, chain, words }: Rule): string => `${table} ${chain} ${words}`;
	const keys = new Set(others.map(keyOf));
	return rules.filter((rule) => !keys.has(keyOf(rule)));
}
