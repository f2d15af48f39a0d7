"""Vipps MobilePay as others would use it: a typed client, and (in `simulator`) a provider to try it against."""
