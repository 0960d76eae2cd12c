using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>A certificate that the app configured itself, with the intermediates that came with it.</summary>
internal readonly record struct AppCertificate(X509Certificate2 Certificate, X509Certificate2Collection? Chain);
