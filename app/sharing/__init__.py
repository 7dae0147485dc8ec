"""Sharing: policy cards, drafts, parcels, approvals, the gate, receipts. Whatever reaches an assistant goes through here.

Opens no socket itself: the courier, another process, is reached through its pipe alone.
"""
