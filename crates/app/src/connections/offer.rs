//! What is known of a host that somebody types: the built-in service first, then the presets of its SMTP
//! side; and what contradicts itself in settings. Values are offered; nothing is filled in by itself.

use std::num::NonZeroU16;
use waxseal_check::diagnose::{Chosen, ClearText, Settings, settings};
use waxseal_check::report::published;
use waxseal_check::report::wire::FindingV1;
use waxseal_proto::finding::Code;
use waxseal_services::presets::{self, HostPattern, Preset};
use waxseal_store::connection::{ConnectionKind, CustomSmtp, RelayHost, Transport};

use super::form::is_loopback;
use super::wire::{Offer, PresetOffer};

/// What contradicts itself in the settings of a connection, before anything is connected to.
pub fn warnings(kind: &ConnectionKind) -> Vec<FindingV1> {
    let ConnectionKind::Smtp(smtp) = kind else {
        return Vec::new();
    };
    let allowed = match &smtp.transport {
        Transport::Clear { exception } => exception.is_some() || is_loopback(&smtp.host),
        Transport::Encrypted { .. } => false,
    };
    let host = smtp.host.to_string();
    let found = settings(&Settings {
        host: &host,
        port: smtp.port.get(),
        security: Chosen::Mode(smtp.mode()),
        clear_text: if allowed { ClearText::Allowed } else { ClearText::NotAllowed },
    });
    published(&found, &host)
}

/// Host, port and mode as somebody types them; any may be missing yet.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a> {
    /// The host.
    pub host: &'a str,
    /// The port.
    pub port: &'a str,
    /// The mode, also in the words of other programs.
    pub security: &'a str,
}

/// What contradicts itself in settings that are being typed. What is missing yet contradicts nothing.
pub fn contradictions(typed: Typed<'_>) -> Vec<FindingV1> {
    let Ok(port) = typed.port.trim().parse::<NonZeroU16>() else { return Vec::new() };
    let Some(security) = Chosen::parse(typed.security.trim()) else { return Vec::new() };
    let host = RelayHost::parse(typed.host.trim()).ok();
    let named = host.as_ref().map_or_else(|| "this server".to_owned(), RelayHost::to_string);
    let clear_text = match &host {
        Some(host) if is_loopback(host) => ClearText::Allowed,
        Some(_) | None => ClearText::NotAllowed,
    };
    let found = settings(&Settings { host: &named, port: port.get(), security, clear_text });
    let of_host = |code: &Code| {
        code.as_str().starts_with("input-")
            && *code != Code::InputModePortConflict
            && *code != Code::InputModeNone
    };
    let found: Vec<_> =
        found.into_iter().filter(|finding| host.is_some() || !of_host(&finding.code)).collect();
    published(&found, &named)
}

/// What is known of a host.
pub fn offer(host: &str) -> Offer {
    let service = presets::service_of_host(host).map(|service| service.as_str().to_owned());
    let presets = presets::for_host(host).map(preset_offer).collect();
    Offer { service, presets }
}

/// What is known of the host of stored settings. A program of this machine is told from another one only by its
/// port.
pub(super) fn offer_for(smtp: &CustomSmtp) -> Offer {
    let mut offer = offer(&smtp.host.to_string());
    if is_loopback(&smtp.host) {
        offer.presets.retain(|known| {
            let preset = presets::by_name(&known.name);
            preset.is_some_and(|preset| {
                preset.endpoints.iter().any(|endpoint| endpoint.port == smtp.port.get())
            })
        });
    }
    offer
}

/// The preset that documents other pairs of port and mode for the host of these settings.
pub(super) fn documented_otherwise(smtp: &CustomSmtp, offer: &Offer) -> Option<PresetOffer> {
    let known = offer.presets.first()?;
    let preset = presets::by_name(&known.name)?;
    let pair = (smtp.port.get(), smtp.mode());
    let fits = preset.endpoints.iter().any(|endpoint| (endpoint.port, endpoint.mode) == pair);
    (!fits).then(|| known.clone())
}

fn preset_offer(preset: &Preset) -> PresetOffer {
    let recommended = preset.recommended();
    PresetOffer {
        name: preset.name.to_owned(),
        title: preset.title.to_owned(),
        host: preset.hosts.first().map(HostPattern::template).unwrap_or_default(),
        port: recommended.port,
        security: recommended.mode.as_str().to_owned(),
        needs_app_password: preset.needs_app_password(),
        oauth_only: preset.is_oauth_only(),
        documentation: preset.documentation.to_owned(),
    }
}
