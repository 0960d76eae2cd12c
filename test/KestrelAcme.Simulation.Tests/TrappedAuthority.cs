using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Tls;

namespace KestrelAcme.Simulation.Tests;

/// <summary>The model of an authority, with the trap in front of it.</summary>
internal sealed class TrappedAuthority(SimulatedAuthority model, Trap trap) : ISimulatedAuthority
{
    public SimulatedClock Clock => model.Clock;

    public Weather Weather => model.Weather;

    public IEnumerable<SimulatedCertificate> Current => model.Current;

    public IAuthorityClientFactory CreateClients(Lifeline life) => new TrappedClients(model.CreateClients(life), trap, Clock.Machine);

    public HttpMessageHandler CreateListClient(Lifeline life) => model.CreateListClient(life);

    public IChallengeHandler CreateChallengeHandler() => new TrappedHandler(model.CreateChallengeHandler(), trap, Clock.Machine);

    public Task WhenIdleAsync() => model.WhenIdleAsync();

    public void Follow() => model.Follow();

    public void Advise(SimulatedCertificate certificate, DateTimeOffset start, DateTimeOffset end) => model.Advise(certificate, start, end);

    public Task RevokeAsync(IReadOnlyList<SimulatedCertificate> certificates, IEnumerable<CertificateMaterial> served)
        => model.RevokeAsync(certificates, served);
}
