// The routes about the master itself: whether it is well, what it has counted, what it can do, and a copy of its state.

import { readFile, rm } from 'node:fs/promises';
import * as v from 'valibot';
import { apiErrorShape } from './api-error.ts';
import { describeApi } from './openapi.ts';
import type { ApiContext, Route } from './route.ts';
import type { Services } from './services.ts';

const wellShape = v.object({ status: v.literal('ok'), revision: v.string() });
const failingShape = v.object({ status: v.literal('failing'), problem: v.string() });

/** `others` are the routes that the OpenAPI document has besides these. */
export function serviceRoutes(services: Services, others: readonly Route[]): Route[] {
	const { metrics, registry, store } = services;
	const routes: Route[] = [
		{
			method: 'get',
			path: '/healthz',
			audience: 'anybody',
			summary: 'Whether changes can be made',
			answers: {
				200: { description: 'They can', shape: wellShape },
				503: {
					description: 'The last one could not; or overloaded',
					shape: v.union([failingShape, apiErrorShape]),
				},
			},
			handle: (context) => {
				const problem = store.problem();
				if (problem !== undefined) return context.json({ status: 'failing', problem }, 503);
				return context.json({ status: 'ok', revision: registry.revision() });
			},
		},
		{
			method: 'get',
			path: '/metrics',
			audience: 'known',
			summary: 'What was counted and measured, for Prometheus',
			answers: { 200: { description: 'Metrics', type: 'text/plain' } },
			handle: async (context) => context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
		},
		{
			method: 'get',
			path: '/openapi.json',
			audience: 'anybody',
			summary: 'This document',
			answers: { 200: { description: 'OpenAPI 3.1', shape: v.record(v.string(), v.unknown()) } },
			handle: (context) => context.json(document),
		},
		{
			method: 'get',
			path: '/v1/backup',
			audience: 'operator',
			summary: 'A copy of the state, which a master can be started with',
			answers: { 200: { description: 'A file of SQLite', type: 'application/vnd.sqlite3' } },
			errors: ['storeFailed', 'storeFull'],
			handle: (context) => backUp(services, context),
		},
	];
	const document = describeApi([...others, ...routes]);
	return routes;
}

async function backUp({ store, backupPath }: Services, context: ApiContext): Promise<Response> {
	const path = backupPath();
	try {
		await store.backUp(path);
		const bytes = await readFile(path);
		return context.body(bytes, 200, { 'content-type': 'application/vnd.sqlite3' });
	} finally {
		await rm(path, { force: true });
	}
}
