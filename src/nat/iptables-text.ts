// What iptables-restore reads and iptables-save writes. iptables-restore(8): each table is changed as a whole, or not at all.

import { type Chain, PREFIX, type TableName } from './iptables-rules.ts';

/** Rules by table and chain, as iptables-save lists them. */
export interface Rule {
	readonly table: string;
	readonly chain: string;
	/** All that follows the name of the chain. */
	readonly words: string;
}

/** The tables as they are. */
export interface Saved {
	/** Those that are not built in. */
	readonly chains: readonly Pick<Rule, 'table' | 'chain'>[];
	readonly rules: readonly Rule[];
}

/** The rules that lead from built-in chains into ours. */
function jumpsInto(chains: readonly Chain[]): Rule[] {
	return chains.flatMap(({ table, name, hooks }) =>
		hooks.map((hook) => ({ table, chain: hook, words: `-j ${name}` })),
	);
}

/** All rules that are ours, those that lead into our chains included. */
export function rulesOf(chains: readonly Chain[]): Rule[] {
	return [
		...jumpsInto(chains),
		...chains.flatMap(({ table, name, rules }) => rules.map((words) => ({ table, chain: name, words }))),
	];
}

/**
 * The input that gives our chains their rules. Tables in which these are as `before` are only looked at. It is refused when
 * something does not lead into our chains any more, as after a flush.
 */
export function changeInput(chains: readonly Chain[], before: readonly Chain[]): string {
	return inputOf((table) => {
		const own = chains.filter((chain) => chain.table === table);
		const isSame = definitions(own).join() === definitions(before.filter((chain) => chain.table === table)).join();
		return [
			...(isSame ? [] : declarations(own)),
			...jumpsInto(own).map(({ chain, words }) => `-C ${chain} ${words}`),
			...(isSame ? [] : definitions(own)),
		];
	});
}

/**
 * The input that sets everything right, whatever is there; never refused, unless that changes meanwhile. Ours come first in
 * the built-in chains.
 */
export function repairInput(chains: readonly Chain[], saved: Saved): string {
	return inputOf((table) => {
		const own = chains.filter((chain) => chain.table === table);
		const wanted = own.map(({ name }) => name);
		const obsolete = saved.chains.filter(
			(each) => each.table === table && each.chain.startsWith(PREFIX) && !wanted.includes(each.chain),
		);
		const jumps = saved.rules.filter(
			(rule) => rule.table === table && !rule.chain.startsWith(PREFIX) && leadsToUs(rule),
		);
		return [
			...declarations(own),
			...obsolete.map(({ chain }) => `:${chain} - [0:0]`),
			...jumps.map(({ chain, words }) => `-D ${chain} ${words}`),
			...jumpsInto(own).map(({ chain, words }) => `-I ${chain} ${words}`),
			...definitions(own),
			...obsolete.map(({ chain }) => `-X ${chain}`),
		];
	});
}

function inputOf(linesOf: (table: TableName) => readonly string[]): string {
	const lines = (['mangle', 'nat'] as const).flatMap((table) => [`*${table}`, ...linesOf(table), 'COMMIT']);
	return `${lines.join('\n')}\n`;
}

/** What makes chains empty, if they are there, or else makes them. */
function declarations(chains: readonly Chain[]): string[] {
	return chains.map(({ name }) => `:${name} - [0:0]`);
}

function definitions(chains: readonly Chain[]): string[] {
	return chains.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`));
}

/** Whether a rule goes on in one of our chains. */
export function leadsToUs({ words }: Rule): boolean {
	return new RegExp(`(?:^| )-[jg] ${PREFIX}`).test(words);
}

/** Reads what iptables-save says. */
export function parseSaved(text: string): Saved {
	const chains: Pick<Rule, 'table' | 'chain'>[] = [];
	const rules: Rule[] = [];
	let table = '';
	for (const line of text.split('\n')) {
		if (line.startsWith('*')) table = line.slice(1);
		const [, userChain] = /^:(\S+) -/.exec(line) ?? [];
		if (userChain !== undefined) chains.push({ table, chain: userChain });
		const [, chain, words] = /^-A (\S+) (.*)$/.exec(line) ?? [];
		if (chain !== undefined && words !== undefined) rules.push({ table, chain, words });
	}
	return { chains, rules };
}
