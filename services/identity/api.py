"""All routes of identity under one version, each part's beside the part."""

from fastapi import APIRouter

from bookbag.directory.record.api import router as record
from services.identity.accounts.api import router as accounts
from services.identity.demo.api import router as demo
from services.identity.entry.api import router as entry
from services.identity.hours.api import router as hours
from services.identity.office.api import router as office
from services.identity.policy.api import router as policy
from services.identity.profile.api import router as profile
from services.identity.suspensions.api import router as suspensions
from services.identity.terms.api import router as terms

router = APIRouter(prefix="/v1")
for part in (profile, hours, accounts, entry, office, suspensions, policy, terms, record, demo):
    router.include_router(part)
