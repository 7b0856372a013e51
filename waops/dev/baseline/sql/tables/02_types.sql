CREATE TYPE public.plan_type AS ENUM ('Launch', 'Scale', 'Growth', 'Authority');
CREATE TYPE public.subscription_period AS ENUM ('Monthly', 'Yearly');
