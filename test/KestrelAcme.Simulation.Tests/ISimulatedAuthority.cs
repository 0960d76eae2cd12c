using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>The authority of a simulation, with the weather that it stands in. It outlives the processes that use it.</summary>
internal interface ISimulatedAuthority
{
    SimulatedClock Clock { get; }

    Weather Weather { get; }

    /// <summary>The newest certificate of each name.</summary>
    IEnumerable<SimulatedCertificate> Current { get; }

    /// <summary>Makes a process's clients.</summary>
    IAuthorityClientFactory CreateClients(Lifeline life);

    /// <summary>Makes what a process fetches revocation lists with.</summary>
    HttpMessageHandler CreateListClient(Lifeline life);

    /// <summary>Makes what answers challenges where the authority looks.</summary>
    IChallengeHandler CreateChallengeHandler();

    /// <summary>Completes when nothing is left to run until a timer fires.</summary>
    Task WhenIdleAsync();

    /// <summary>Lets the weather of this moment come over the authority, and takes note of what was issued.</summary>
    void Follow();

    /// <summary>Advises another window for a certificate from now on.</summary>
    void Advise(SimulatedCertificate certificate, DateTimeOffset start, DateTimeOffset end);

    /// <summary>Puts certificates on the list; the window stays as it is.</summary>
    /// <param name="certificates">Which.</param>
    /// <param name="served">What the process serves, with its keys.</param>
    Task RevokeAsync(IReadOnlyList<SimulatedCertificate> certificates, IEnumerable<CertificateMaterial> served);
}
