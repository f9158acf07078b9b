// Has Docker's containers on the networks be reached by all other containers of the networks.
//
// Docker drops what one of its networks sends to another; and what comes from other hosts, where it has set the policy of
// FORWARD to DROP. Its chain DOCKER-USER is for exceptions: it comes before all of that, and outlasts Docker's restarts.

import { findProgram, runProgram, runRestore, SYSTEM_PATH } from '../../nat/iptables-programs.ts';
import { parseSaved, type Saved } from '../../nat/iptables-text.ts';
import { hasSysctl } from '../../linux/sysctl.ts';
import { VTEP } from '../../overlay/vtep.ts';

/** Where our rules are entered, the first of these that there is: behind all that is not Docker's, before `end`. */
const ENTRIES = [
	{ chain: 'DOCKER-USER', end: '-j RETURN' },
	// Docker 20.10 has the other for IPv4 only.
	{ chain: 'FORWARD', end: '-j DOCKER-ISOLATION-STAGE-1' },
];
/** What goes to Docker's part of a network. Named unlike the chains that the records of rules tell of. */
const DESTINATIONS = 'DOCKER-MESOS-OVERLAY';
/** Of that, what comes from containers of the networks. */
const SOURCES = 'DOCKER-MESOS-OVERLAY-FROM';
const JUMP = `-j ${DESTINATIONS}`;

/**
 * Has the rules be there for the networks of these names, and for no others; nothing, where there is no chain for them. Nothing
 * waits past `deadline` (ms of performance.now()). Gives whether there was anything to do. Throws CniError 100, or 11 when
 * a program takes too long.
 */
export function keepDockerForwarding(networks: readonly string[], deadline: number): boolean {
	const programs = { path: SYSTEM_PATH, deadline };
	const names = ['iptables', ...(hasSysctl('ipv6/conf/all') ? ['ip6tables'] : [])];
	const changed = names.filter((name) => {
		// Without the programs, Docker has no rules either.
		if (findProgram(`${name}-save`, programs.path) === undefined) return false;
		const saved = parseSaved(runProgram(programs, `${name}-save`, ['-t', 'filter']));
		const input = forwardingInput(saved, networks);
		if (input !== undefined) runRestore(programs, `${name}-restore`, input);
		return input !== undefined;
	});
	return changed.length > 0;
}

/** What iptables-restore has to read so that all is as it should be; undefined when it is. */
export function forwardingInput({ chains, rules }: Saved, networks: readonly string[]): string | undefined {
	const rulesOf = (name: string): string[] => rules.filter(({ chain }) => chain === name).map(({ words }) => words);
	const hasChain = (name: string): boolean => chains.some(({ chain }) => chain === name);
	const entry = ENTRIES.find(({ chain, end }) => hasChain(chain) || rulesOf(chain).includes(end));
	const wanted = chainsFor(entry === undefined ? [] : networks);
	const jumps = ENTRIES.flatMap((each) =>
		jumpChanges(each, rulesOf(each.chain), each === entry && networks.length > 0),
	);
	const obsolete = [DESTINATIONS, SOURCES].filter((name) => hasChain(name) && !wanted.has(name));
	const isFilled = Array.from(wanted).every(
		([name, words]) => hasChain(name) && rulesOf(name).join('\n') === words.join('\n'),
	);
	if (isFilled && jumps.length === 0 && obsolete.length === 0) return undefined;
	// What is named like this is emptied, or made.
	const emptied = [...wanted.keys(), ...obsolete].map((name) => `:${name} - [0:0]`);
	const filled = Array.from(wanted).flatMap(([name, words]) => words.map((rule) => `-A ${name} ${rule}`));
	const lines = ['*filter', ...emptied, ...jumps, ...filled, ...obsolete.map((name) => `-X ${name}`), 'COMMIT'];
	return `${lines.join('\n')}\n`;
}

function chainsFor(networks: readonly string[]): Map<string, string[]> {
	if (networks.length === 0) return new Map();
	const sources = [VTEP.name, ...networks.flatMap((name) => [`m-${name}`, `d-${name}`])];
	return new Map([
		[DESTINATIONS, networks.map((name) => `-o d-${name} -j ${SOURCES}`)],
		[SOURCES, sources.map((device) => `-i ${device} -j ACCEPT`)],
	]);
}

function jumpChanges({ chain, end }: (typeof ENTRIES)[number], rules: readonly string[], isWanted: boolean): string[] {
	const others = rules.filter((words) => words !== JUMP);
	const place = others.includes(end) ? others.indexOf(end) : others.length;
	if (isWanted && rules.length === others.length + 1 && rules.indexOf(JUMP) <= place) return [];
	const removed = rules.filter((words) => words === JUMP).map(() => `-D ${chain} ${JUMP}`);
	return isWanted ? [...removed, `-I ${chain} ${place + 1} ${JUMP}`] : removed;
}
