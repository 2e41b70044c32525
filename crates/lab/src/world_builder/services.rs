//! Gives delivery services their published addresses, names and servers: every name of a service leads to one
//! desk with one account. Each name is a zone of its own, so that nothing else of the real domain exists.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::{Addresses, Bound, WorldBuilder};
use crate::control::LabError;
use crate::delivery_service::{Desk, ServiceBehaviour, ServiceServer};
use crate::dns::ZoneConfig;
use crate::scenario::{Family, Scenario};
use crate::tls::Place;

impl WorldBuilder<'_> {
    /// Adds the services of a scenario.
    pub(super) async fn services(
        &mut self,
        scenario: &Scenario,
        free: &mut Addresses,
    ) -> Result<(), LabError> {
        for service in &scenario.services {
            self.service(scenario, service, free).await?;
        }
        Ok(())
    }

    async fn service(
        &mut self,
        scenario: &Scenario,
        service: &ServiceBehaviour,
        free: &mut Addresses,
    ) -> Result<(), LabError> {
        let now = scenario.options.now.unwrap_or(self.now);
        let desk = Desk::new(service.clone(), &scenario.domain, now, self.ledger.clone());
        let desk = Arc::new(desk);
        for endpoint in service.service.endpoints() {
            if self.hosts.contains_key(&endpoint.host) {
                return Err(LabError::SameService { host: endpoint.host });
            }
            let published = free.take(Family::V4)?;
            let mut zone = ZoneConfig { name: endpoint.host.clone(), ..ZoneConfig::default() };
            if service.publish {
                zone.records.push(format!("{}. A {published}", endpoint.host));
            }
            self.dns.zones.push(zone);
            self.hosts.insert(endpoint.host.clone(), vec![published]);
            if let Some(route) = self.closed_route(service.state) {
                self.routes.insert((published, 443), route);
            } else {
                // The `{host}` of this server is not a host of the file, so it is filled here.
                let mut tls = service.tls.clone();
                for name in &mut tls.certificate.names {
                    *name = name.replace("{host}", &endpoint.host);
                }
                let place = Place { host: &endpoint.host, address: 0, now };
                let tls = self.tls(&tls, place)?;
                let listener = self.listen(published, 443).await?;
                let server = ServiceServer {
                    host: endpoint.host.clone(),
                    published,
                    tls,
                    desk: Arc::clone(&desk),
                    region: endpoint.region.clone(),
                    recorder: self.recorder.clone(),
                    connections: AtomicUsize::new(0),
                };
                self.bound.push(Bound::Service(Arc::new(server), listener));
            }
            self.refuse_the_rest(published);
        }
        Ok(())
    }
}
