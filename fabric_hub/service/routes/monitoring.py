"""What monitoring asks: whether the service answers, and what Prometheus is told."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fabric_hub import __version__
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts
from fabric_hub.service.deps import Context, ReadsMetrics, metrics_reader
from fabric_hub.types import Frozen

router = APIRouter()
metrics_router = APIRouter()  # beside the API, where Prometheus looks by default


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the service answers, and its version."""
    return {"status": "ok", "version": __version__}


class PartStatus(Frozen):
    """One part of the site. ``code`` says why it is not ready; ``detail`` is for operators, in English."""

    ok: bool
    code: str = ""
    detail: str | None = None


class SiteStatus(Frozen):
    """Whether everything that sessions need answers, and each part: hub, record, gateway, slurm, catalogue, agents."""

    ready: bool
    parts: dict[str, PartStatus]


@router.get("/ready", responses={503: {"model": SiteStatus}}, openapi_extra={"security": [{}]})  # a token is optional
async def ready(context: Context, response: Response, operator: ReadsMetrics) -> SiteStatus:
    """Whether everything that sessions need answers: 200, else 503, with what does not.

    Remembered for some seconds. Details are told to a token with the scope ``read:metrics`` only.
    """
    if context.readiness is None:
        raise FabricError(texts.NO_METRICS())
    seen = await context.readiness()
    response.headers["Cache-Control"] = "no-store"
    if not seen.ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    parts = {
        part.name: PartStatus(ok=part.ok, code=part.code, detail=part.detail if operator else None)
        for part in seen.parts
    }
    return SiteStatus(ready=seen.ready, parts=parts)


@metrics_router.get(
    "/metrics",
    dependencies=[Depends(metrics_reader)],
    response_class=Response,  # text, unlike its problems
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def scraped(context: Context) -> Response:
    """What Prometheus is told, in its text format. For a token with the scope ``read:metrics``."""
    if context.metrics is None:
        raise FabricError(texts.NO_METRICS())
    registry = CollectorRegistry()
    registry.register(await context.metrics())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
