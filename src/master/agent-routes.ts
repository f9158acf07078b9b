// The routes about agents: they register, and operators remove them.

import * as v from 'valibot';
import { messageOf } from '../ipam/lease-error.ts';
import { formatSubnet } from '../ipam/subnet.ts';
import { register, type Shortage } from '../overlay/allocation.ts';
import { findAddressMistake } from '../overlay/conflicts.ts';
import { documentStateShape } from '../overlay/document-shape.ts';
import type { Draft } from '../overlay/draft.ts';
import type { AgentRecord } from '../overlay/records.ts';
import {
	encodeShortages,
	holdingsOfReport,
	type RegistrationAnswer,
	registrationAnswerShape,
	type RegistrationReport,
	registrationShape,
} from '../overlay/registration-wire.ts';
import { releaseFreed, removeAgent } from '../overlay/release.ts';
import { networksOf } from '../overlay/state.ts';
import { encodeAgent, encodeNetwork, encodeVteps } from '../overlay/wire.ts';
import { ApiError } from './api-error.ts';
import { authorizeAddress, canonicalIp } from './identity.ts';
import { REPORT_INTERVAL, type Reports } from './presence.ts';
import type { ApiContext, Route } from './route.ts';
import type { Services } from './services.ts';
import { answerState } from './state-routes.ts';

export function agentRoutes(services: Services): Route[] {
	const deletion = {
		method: 'post',
		audience: 'operator',
		summary: 'Removes agents; those that are alive only by force. Unknown ones are passed over.',
		body: deletionShape,
		answers: { 200: { description: 'The state without them', shape: documentStateShape } },
		errors: ['alive'],
		handle: (context: ApiContext) => deleteAgents(services, context),
	} as const;
	return [
		{
			method: 'put',
			path: '/v1/agents/{ip}',
			audience: 'agent',
			summary: 'Registers an agent, or takes its report',
			parameters: { ip: "the agent's address on the underlay" },
			body: registrationShape,
			answers: { 200: { description: 'What the agent is given', shape: registrationAnswerShape } },
			errors: ['addressInUse', 'noVtep'],
			handle: (context) => putAgent(services, context),
		},
		{ ...deletion, path: '/overlay-master/agents/delete' },
		{ ...deletion, path: '/mesos/overlay-master/agents/delete' },
	];
}

const deletionShape = v.object({
	agents: v.array(v.string()),
	/** Also if they are alive. */
	force: v.optional(v.boolean(), false),
});

async function putAgent(services: Services, context: ApiContext): Promise<Response> {
	const { registry, presence, metrics, log, now, quarantine } = services;
	const ip = requireIp(context.req.param('ip') ?? '');
	const report = context.get('body') as RegistrationReport;
	const { instance } = report;
	const hasReport = Object.keys(report.networks).length > 0;
	metrics.registrationCame(hasReport);
	try {
		authorizeAddress(context.get('identity'), ip);
		const before = registry.durable.agents.get(ip);
		const { agent, shortages } = await registry.change((draft) => {
			refuseAddress(draft, ip);
			refuseOther(draft, services, ip, instance);
			releaseFreed(draft, now() - quarantine);
			const outcome = register(draft, { ip, instance, held: holdingsOfReport(report) });
			if (outcome.agent !== undefined) presence.touch(ip);
			return outcome;
		});
		for (const shortage of shortages) metrics.shortage(shortage);
		if (agent === undefined) throw new ApiError('noVtep', `registering ${ip}: ${listOf(shortages)}`);
		if (before === undefined)
			log('info', 'agent registered', { agent: ip, instance, vtep: formatSubnet(agent.vtep) });
		else if (before.instance !== instance)
			log('warn', 'agent moved', { agent: ip, instance, before: before.instance });
		const reports = reportsOf(services, report);
		if (presence.report(ip, reports, listOf(shortages))) tellTroubles(services, ip, reports, shortages);
		metrics.registrationAnswered(hasReport);
		return context.json(answerOf(services, agent, shortages));
	} catch (error) {
		metrics.registrationRefused(hasReport);
		log('warn', 'agent refused', { agent: ip, instance, error: messageOf(error) });
		throw error;
	}
}

/** Those that are registered stay, whatever was added since. */
function refuseAddress({ state }: Draft, ip: string): void {
	const mistake = state.agents.has(ip) ? undefined : findAddressMistake(state, ip);
	if (mistake !== undefined) throw new ApiError('invalidRequest', `registering ${ip}: ${mistake}`);
}

/** An address is one agent's as long as that is alive. */
function refuseOther({ state }: Draft, { presence }: Services, ip: string, instance: string): void {
	const known = state.agents.get(ip);
	if (known === undefined || known.instance === instance || !presence.isAlive(ip)) return;
	const why = `another agent has this address: instance "${known.instance}", ${presence.lifeSign(ip)}`;
	throw new ApiError('addressInUse', `registering ${ip} for instance "${instance}": ${why}`, { 'retry-after': '10' });
}

/** What an agent has told of the networks that there are. */
function reportsOf({ registry }: Services, { networks }: RegistrationReport): Reports {
	return new Map(Object.entries(networks).filter(([name]) => registry.durable.networks.has(name)));
}

/** Logs what is new about the troubles of an agent. */
function tellTroubles({ log }: Services, ip: string, reports: Reports, shortages: readonly Shortage[]): void {
	for (const { network, message } of shortages) log('warn', 'agent short', { agent: ip, network, message });
	for (const [network, { status, error }] of reports) {
		if (status === 'STATUS_FAILED') log('warn', 'agent failing', { agent: ip, network, error });
	}
}

function answerOf({ registry }: Services, agent: AgentRecord, shortages: readonly Shortage[]): RegistrationAnswer {
	const { durable } = registry;
	const { vtep } = durable;
	if (vtep === undefined) throw new TypeError('there are no settings of VTEPs');
	return {
		revision: registry.revision(),
		reportInterval: REPORT_INTERVAL,
		vteps: encodeVteps(vtep),
		networks: networksOf(durable).map(encodeNetwork),
		agent: encodeAgent(agent, vtep.macOui),
		shortages: encodeShortages(shortages),
	};
}

async function deleteAgents(services: Services, context: ApiContext): Promise<Response> {
	const { registry, presence, log, now } = services;
	const { agents, force } = context.get('body') as v.InferOutput<typeof deletionShape>;
	const addresses = [...new Set(agents.map(requireIp))];
	const removed = await registry.change((draft) => {
		const known = addresses.filter((ip) => draft.state.agents.has(ip));
		const alive = force ? [] : known.filter((ip) => presence.isAlive(ip));
		if (alive.length > 0) {
			const signs = alive.map((ip) => `${ip} (${presence.lifeSign(ip)})`);
			throw new ApiError('alive', `removing agents: alive: ${signs.join(', ')}; stop them first, or set "force"`);
		}
		for (const ip of known) removeAgent(draft, ip, now());
		return known;
	});
	for (const agent of removed) {
		presence.forget(agent);
		log('info', 'agent removed', { agent, force });
	}
	return answerState(services, context);
}

function requireIp(text: string): string {
	const ip = canonicalIp(text);
	if (ip === undefined) throw new ApiError('invalidRequest', `"${text}" is no IP address`);
	return ip;
}

function listOf(shortages: readonly Shortage[]): string {
	return shortages.map(({ message }) => message).join(', ');
}
