//! What is known of a host that somebody types: the built-in service first, then the presets of its SMTP
//! side. It offers values; nothing is filled in by itself.

use waxseal_services::presets::{self, HostPattern, Preset};

use super::wire::{Offer, PresetOffer};

/// What is known of a host.
pub fn offer(host: &str) -> Offer {
    let service = presets::service_of_host(host).map(|service| service.as_str().to_owned());
    let presets = presets::for_host(host).map(preset_offer).collect();
    Offer { service, presets }
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
