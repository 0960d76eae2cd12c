using KestrelAcme.Certificates;
using KestrelAcme.LocalAuthority;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>One fault, and what a renewal makes of it.</summary>
/// <param name="Name">What goes wrong.</param>
/// <param name="Arrange">Makes it go wrong; gets the authority and the name that is renewed.</param>
/// <param name="State">Where the certificate stands afterwards; <see cref="CertificateState.Valid"/> when the same attempt got over
/// it.</param>
/// <param name="Cause">Who is to blame for a failure.</param>
/// <param name="Words">What the message says, among other things.</param>
internal sealed record FaultCase(
    string Name, Action<LocalAcmeAuthority, string> Arrange, CertificateState State, FailureCause Cause, params string[] Words)
{
    /// <summary>Whether a timeout alone ends it.</summary>
    public bool Hangs { get; init; }
}
