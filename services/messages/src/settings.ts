import { databaseSettings } from '@parley/service-kit';

export const settings = { ...databaseSettings };
