// Adds what is missing in chains FORWARD that drop, and removes it when its bridge is gone.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { commit } from '../netlink/nf-batch.ts';
import { acceptDevice } from '../netlink/nf-device-rule.ts';
import { appendRule } from '../netlink/nf-rule.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';
import {
	type BridgedNetwork,
	FILTERS,
	FORWARD,
	type ForwardRule,
	missingInNft,
	programOf,
	ruleText,
} from './forward-policy.ts';
import { findProgram, type Programs, runProgram, runRestore, SYSTEM_PATH } from './iptables-programs.ts';
import { parseSaved } from './iptables-text.ts';
import { missingInLegacy } from './legacy-filter.ts';
import { withLock } from './record-files.ts';

/** The plain name may stand for either variant, and the other one's rules count as well. */
const PROGRAMS = ['iptables', 'ip6tables'].flatMap((name) => [name, `${name}-nft`, `${name}-legacy`]);
const DIRECTIONS: readonly ForwardRule['direction'][] = ['in', 'out'];

/** Adds the rules that are still missing when nobody else adds any. Throws as passForwardPolicy. */
export function addMissingRules(
	network: BridgedNetwork,
	directory: string,
	deadline: number,
	path = SYSTEM_PATH,
): void {
	withLock(directory, deadline, () => {
		addToNft(missingInNft(network, deadline), deadline);
		const missing = Map.groupBy(missingInLegacy(network), programOf);
		for (const [program, rules] of missing) addToLegacy({ path, deadline }, program, rules);
	});
}

/**
 * Removes the rules of these bridges again, wherever an installed iptables has them. Nothing waits past `deadline` (ms of
 * performance.now()). Throws CniError 100, or 11 when a program takes too long.
 */
export function dropForwardRules(bridges: readonly string[], deadline: number, path = SYSTEM_PATH): void {
	const programs = { path, deadline };
	const ours = new Set(bridges.flatMap((bridge) => DIRECTIONS.map((direction) => ruleText({ direction, bridge }))));
	if (ours.size === 0) return;
	for (const program of PROGRAMS) {
		if (findProgram(`${program}-save`, path) === undefined) continue;
		// All tables: to ask the older iptables for one makes it.
		const { rules } = parseSaved(runProgram(programs, `${program}-save`, []));
		const found = rules
			.filter(({ table, chain, words }) => table === 'filter' && ours.has(`-A ${chain} ${words}`))
			.map(({ words }) => `-D ${FORWARD} ${words}`);
		if (found.length > 0)
			runRestore(programs, `${program}-restore`, ['*filter', ...found, 'COMMIT', ''].join('\n'));
	}
}

function addToNft(rules: readonly ForwardRule[], deadline: number): void {
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		const requests = rules.map(({ family, direction, bridge }) =>
			appendRule(FILTERS[family], FORWARD, acceptDevice(direction, bridge)),
		);
		commit(connection, requests);
	} finally {
		connection.close();
	}
}

function addToLegacy(programs: Programs, program: string, rules: readonly ForwardRule[]): void {
	const input = ['*filter', ...rules.map(ruleText), 'COMMIT', ''].join('\n');
	runRestore(programs, restoreProgram(programs, program, rules), input);
}

/** On hosts that have never had another iptables, the older one goes by the plain name. */
function restoreProgram(programs: Programs, program: string, rules: readonly ForwardRule[]): string {
	const name = `${program}-restore`;
	if (findProgram(name, programs.path) !== undefined) return name;
	const plain = name.replace('-legacy', '');
	if (!runProgram(programs, plain, ['--version']).includes('nf_tables')) return plain;
	throw new CniError(
		CniErrorCode.kernelRefused,
		`running ${name}: it is not in ${programs.path}, and the older iptables, which somebody uses on this host, forwards nothing; install iptables-legacy, or add there: ${rules.map(ruleText).join('; ')}`,
	);
}
