export const DELIVERY_TRIGGERS = ['AUTO', 'MANUAL', 'REDELIVERY'] as const;
export type DeliveryTrigger = (typeof DELIVERY_TRIGGERS)[number];
