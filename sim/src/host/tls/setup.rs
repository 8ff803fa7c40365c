//! How both ends are set up: where their random numbers come from, and what stands in for trust.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup, ring,
    verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, NamedGroup, PeerMisbehaved, ServerConfig, SignatureScheme,
};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::net::random::Sequence;

/// Every server's certificate, for CN=quirknat, with an Ed25519 key: its signatures need no random number. Neither is a
/// secret.
const CERTIFICATE: &[u8] = include_bytes!("certificate.der");
const KEY: &[u8] = include_bytes!("key.der");

/// The random numbers of one end.
#[derive(Debug)]
pub(super) struct Random {
    sequence: Sequence,
    place: u64,
}

impl Random {
    pub(super) fn new(seed: u64, name: &str) -> Self {
        Self { sequence: Sequence::new(seed, name), place: 0 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            let number = self.sequence.at(self.place).to_le_bytes();
            self.place = self.place.wrapping_add(1);
            piece.copy_from_slice(number.get(..piece.len()).unwrap_or_default());
        }
    }
}

thread_local! {
    /// What rustls draws from on this thread: it asks a provider that all connections share.
    static DRAWN_FROM: RefCell<Option<Random>> = const { RefCell::new(None) };
}

/// Lets `work` draw its random numbers from `random`.
pub(super) fn drawing_from<T>(random: &mut Random, work: impl FnOnce() -> T) -> T {
    let own = Random { sequence: random.sequence.clone(), place: random.place };
    DRAWN_FROM.with(|drawn_from| drawn_from.replace(Some(own)));
    let result = work();
    if let Some(own) = DRAWN_FROM.with(RefCell::take) {
        *random = own;
    }
    result
}

#[derive(Debug)]
struct Seeded;

impl SecureRandom for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        DRAWN_FROM.with_borrow_mut(|random| {
            random.as_mut().ok_or(GetRandomFailed)?.fill(bytes);
            Ok(())
        })
    }
}

/// X25519 (RFC 7748) with a private key from the seed; ring would draw its own.
#[derive(Debug)]
struct SeededX25519;

struct KeyExchange {
    secret: StaticSecret,
    public: PublicKey,
}

impl SupportedKxGroup for SeededX25519 {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let mut bytes = [0; 32];
        Seeded.fill(&mut bytes)?;
        let secret = StaticSecret::from(bytes);
        let public = PublicKey::from(&secret);
        Ok(Box::new(KeyExchange { secret, public }))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for KeyExchange {
    fn complete(self: Box<Self>, peer: &[u8]) -> Result<SharedSecret, Error> {
        let peer: [u8; 32] = peer.try_into().map_err(|_| PeerMisbehaved::InvalidKeyShare)?;
        let shared = self.secret.diffie_hellman(&PublicKey::from(peer));
        // RFC 7748 §6.1: an all-zero result means that the peer's key is none.
        if !shared.was_contributory() {
            return Err(PeerMisbehaved::InvalidKeyShare.into());
        }
        Ok(SharedSecret::from(shared.as_bytes().as_slice()))
    }

    fn pub_key(&self) -> &[u8] {
        self.public.as_bytes()
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

/// Worlds have times of their own; nothing here depends on the date.
#[derive(Debug)]
struct NoDate;

impl TimeProvider for NoDate {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::ZERO))
    }
}

/// Takes every certificate, as clients in a lab are told to. That the server has its key is looked at.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let make = || CryptoProvider {
        kx_groups: vec![&SeededX25519],
        secure_random: &Seeded,
        ..ring::default_provider()
    };
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(make())))
}

pub(super) fn client_config() -> Result<Arc<ClientConfig>, Error> {
    static CONFIG: OnceLock<Result<Arc<ClientConfig>, Error>> = OnceLock::new();
    let make = || {
        let builder = ClientConfig::builder_with_details(provider(), Arc::new(NoDate));
        let mut config = builder
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider())))
            .with_no_client_auth();
        // One session's bytes must not depend on those before it.
        config.resumption = Resumption::disabled();
        Ok(Arc::new(config))
    };
    CONFIG.get_or_init(make).clone()
}

pub(super) fn server_config() -> Result<Arc<ServerConfig>, Error> {
    static CONFIG: OnceLock<Result<Arc<ServerConfig>, Error>> = OnceLock::new();
    let make = || {
        let builder = ServerConfig::builder_with_details(provider(), Arc::new(NoDate));
        let mut config = builder
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(CERTIFICATE)],
                PrivatePkcs8KeyDer::from(KEY).into(),
            )?;
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    };
    CONFIG.get_or_init(make).clone()
}
