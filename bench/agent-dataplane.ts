// The group `agent`: a host learns of 10,000 others, beside `ip -batch` and `bridge -batch` with the same entries; and of one
// change among them.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemPath } from '../build/project.ts';
import { BuildError } from '../build/run.ts';
import { apply } from '../src/agent/kernel/apply.ts';
import { changeState, type ClusterState } from '../src/agent/master/cluster-state.ts';
import { type Action, NOTHING, type Seen } from '../src/agent/kernel/host-state.ts';
import { type Kernel, openKernel } from '../src/agent/kernel/kernel.ts';
import { look } from '../src/agent/kernel/look.ts';
import { after } from '../src/agent/kernel/model.ts';
import { plan } from '../src/agent/kernel/plan.ts';
import { openNetworkNamespace } from '../src/linux/network-namespace.ts';
import type { Measured } from './agent-process.ts';
import { agent, AGENTS, SELF, stateOf, VTEP, wish } from './agent-states.ts';
import type { Competitor } from './competitor.ts';
import type { Group } from './group.ts';
import { makeRow, ratioAtMost } from './rows.ts';
import { ip, nameOf, withStage } from './stage.ts';

const MOST_MS = 100;
const MOST_LATE_MS = 150;

const OURS: Competitor = { title: 'mesos-overlay', version: `Node ${process.versions.node}`, role: 'ours' };
const TOOLS: Competitor = { title: 'ip and bridge -batch', version: 'iproute2', role: 'reference' };

export const AGENT: Group = {
	name: 'agent',
	title: `A host among ${AGENTS.toLocaleString('en')} others, of both families`,
	measure: async ({ runs, directory }) =>
		withStage(directory, (stage) => {
			const { namespace } = stage.addHost(0);
			const failure = ip(
				[
					'link set lo up',
					'link add eth0 type veth peer name wire',
					`address add ${SELF}/10 dev eth0`,
					'link set eth0 up',
					'link set wire up',
				],
				['-netns', nameOf(namespace)],
			);
			if (failure !== '') throw new BuildError(`making a host: ${failure}`);
			const rounds = Math.ceil(runs / 12);
			const opened = openNetworkNamespace(namespace);
			try {
				const times = opened.run(() => measureRounds(rounds, stage.directory));
				const competitors = [OURS, TOOLS];
				const atMost = (value: number) => ({ of: 'median', bound: 'at most', value }) as const;
				return {
					competitors,
					rows: [
						makeRow(
							competitors,
							'all of them',
							'ms',
							(which) => (which === OURS ? times.all : times.allByTools),
							ratioAtMost(1),
						),
						makeRow(
							[OURS],
							'all of them, by an agent that has just started',
							'ms',
							() => times.whileListening,
						),
						makeRow([OURS], 'longest that others wait there', 'ms', () => times.late, atMost(MOST_LATE_MS)),
						makeRow([OURS], 'one change among them', 'ms', () => times.one, atMost(MOST_MS)),
					],
				};
			} finally {
				opened.close();
			}
		}),
};

interface Times {
	readonly all: number[];
	readonly allByTools: number[];
	readonly one: number[];
	readonly whileListening: number[];
	readonly late: number[];
}

/** In the namespace of the host. */
function measureRounds(rounds: number, directory: string): Times {
	const times: Times = { all: [], allByTools: [], one: [], whileListening: [], late: [] };
	const state = stateOf(AGENTS);
	const kernel = openKernel(performance.now() + 3_600_000);
	try {
		for (let round = 0; round < rounds; round++) {
			const start = performance.now();
			const wanted = wish(state);
			const seen = look(kernel, VTEP, wanted);
			const actions = plan(wanted, seen);
			carryOut(kernel, actions);
			times.all.push(performance.now() - start);
			times.one.push(measureChange(kernel, state, after(seen, actions)));
			empty(kernel);
			carryOut(
				kernel,
				plan({ ...wanted, neighbours: new Map(), forwarding: new Map(), routes: new Map() }, seen),
			);
			times.allByTools.push(measureTools(actions, directory));
			empty(kernel);
			const { all, late } = measureKeeper();
			times.whileListening.push(all);
			times.late.push(late);
		}
		return times;
	} finally {
		kernel.close();
	}
}

/** From the master's word to the kernel: an agent in the middle gets another VTEP. */
function measureChange(kernel: Kernel, state: ClusterState, known: Seen): number {
	const start = performance.now();
	const change = { revision: '2', agents: [agent(AGENTS / 2, AGENTS + 7)], removedAgents: [] };
	carryOut(kernel, plan(wish(changeState(state, change)), known));
	return performance.now() - start;
}

/** In a process of its own, which has just started, as an agent has. */
function measureKeeper(): Measured {
	const script = join(import.meta.dirname, 'agent-process.ts');
	const { status, stdout } = spawnSync(process.execPath, ['--no-warnings', script], {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	if (status !== 0) throw new BuildError('measuring a keeper: it has failed');
	return JSON.parse(stdout) as Measured;
}

function carryOut(kernel: Kernel, actions: readonly Action[]): void {
	const [failure] = apply(kernel, VTEP, actions);
	if (failure !== undefined) throw new BuildError(`programming a host: ${String(failure.error)}`);
}

function empty(kernel: Kernel): void {
	carryOut(kernel, plan(NOTHING, look(kernel, VTEP, NOTHING)));
}

/** The same entries by the usual tools, from files that are written beforehand. */
function measureTools(actions: readonly Action[], directory: string): number {
	const files = { ip: `${directory}/ip.batch`, bridge: `${directory}/bridge.batch` };
	const lines = actions.flatMap(commandOf);
	for (const tool of ['ip', 'bridge'] as const) {
		const own = lines.filter((line) => line.startsWith('fdb') === (tool === 'bridge'));
		writeFileSync(files[tool], `${own.join('\n')}\n`);
	}
	const start = performance.now();
	for (const tool of ['bridge', 'ip'] as const) {
		const { status, stderr } = spawnSync(tool, ['-batch', files[tool]], {
			encoding: 'utf8',
			env: { PATH: systemPath() },
		});
		if (status !== 0) throw new BuildError(`running ${tool} -batch: ${stderr}`);
	}
	return performance.now() - start;
}

function commandOf(action: Action): string[] {
	switch (action.do) {
		case 'setForwarding':
			return [`fdb replace ${action.mac} dev ${VTEP} dst ${action.host} self permanent`];
		case 'setNeighbour':
			return [`neigh replace ${action.ip} lladdr ${action.mac} dev ${VTEP} nud permanent`];
		case 'setRoute': {
			const metric = action.dst.includes(':') ? ' metric 512' : '';
			const way = action.gw === '' ? '' : ` via ${action.gw} dev ${VTEP} onlink`;
			return [`route replace ${action.gw === '' ? 'unreachable ' : ''}${action.dst}${way} proto 124${metric}`];
		}
		default:
			return [];
	}
}
