//! TLS to a Redis: who is trusted, whom we say we are, and what is not checked if a config says so.

use redis::{ErrorKind, RedisError, RedisResult};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};
use std::sync::Arc;

/// How to encrypt.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whether the certificate of the other end is checked.
    pub verified: bool,
    /// Whether it may be for another host.
    pub any_hostname: bool,
    /// Who may vouch for it, as PEM; `None`: whom the system trusts.
    pub authorities: Option<Vec<u8>>,
    /// Our own certificate and key, as PEM.
    pub own: Option<(Vec<u8>, Vec<u8>)>,
}

fn refused(what: &'static str, why: &impl ToString) -> RedisError {
    (ErrorKind::InvalidClientConfig, what, why.to_string()).into()
}

/// The client's side of a session with `host`.
///
/// # Errors
/// Certificates or a key that are none.
pub fn session(tls: &Tls, host: &str) -> RedisResult<ClientConnection> {
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refused("the host is no name for TLS", &error))?;
    ClientConnection::new(Arc::new(config(tls)?), name).map_err(|error| refused("TLS cannot be set up", &error))
}

fn config(tls: &Tls) -> RedisResult<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused("TLS cannot be set up", &error))?;
    let verifier = verifier(tls, provider)?;
    // "Dangerous" is what a config asks for; without it, the verifier is rustls's own.
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let Some((certificate, key)) = &tls.own else { return Ok(builder.with_no_client_auth()) };
    let chain = certificates(certificate).map_err(|error| refused("ssl_certfile is no certificate", &error))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| refused("ssl_keyfile is no key", &error))?;
    builder.with_client_auth_cert(chain, key).map_err(|error| refused("ssl_certfile cannot be used", &error))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, rustls::pki_types::pem::Error> {
    CertificateDer::pem_slice_iter(pem).collect()
}

fn verifier(tls: &Tls, provider: Arc<CryptoProvider>) -> RedisResult<Arc<dyn ServerCertVerifier>> {
    if !tls.verified {
        return Ok(Arc::new(Unverified(provider)));
    }
    let mut roots = RootCertStore::empty();
    match &tls.authorities {
        Some(pem) => {
            let trusted = certificates(pem).map_err(|error| refused("ssl_ca_certs is no certificate", &error))?;
            roots.add_parsable_certificates(trusted);
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let checked = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|error| refused("nobody is trusted; name ssl_ca_certs", &error))?;
    Ok(if tls.any_hostname { Arc::new(AnyHostname(checked)) } else { checked })
}

/// Checks that the other end has the key of its certificate, and nothing about that.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
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
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Checks everything but for whom the certificate is.
#[derive(Debug)]
struct AnyHostname(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHostname {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
