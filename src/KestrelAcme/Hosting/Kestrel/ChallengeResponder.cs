using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Performs the handshake of a tls-alpn-01 validation (RFC 8737 section 3) and closes the connection.</summary>
/// <remarks>
/// Kestrel does not take part, so that it works on every endpoint, including those with their own certificate, with an <c>Sni</c> section,
/// or only with HTTP/2.
/// </remarks>
internal sealed class ChallengeResponder(
    ITlsSettingsSource settings, AcmeHttpsMetrics metrics, TimeProvider timeProvider, ILogger<ChallengeResponder> logger)
{
    private static readonly SslApplicationProtocol AcmeTls = new("acme-tls/1");

    /// <summary>Counts a validation of a name that is not being validated. The handshake is refused as usual.</summary>
    public void Unknown() => metrics.ChallengeRequested(TlsAlpn01ChallengeHandler.Type, Outcomes.Unknown);

    public async Task AnswerAsync(ConnectionContext connection, TlsSelection selection)
    {
        metrics.Handshake(HandshakeSource.Challenge);
        using var deadline = new TimeLimit(settings.Current.HandshakePeekTimeout, timeProvider);
        await using var stream = new SslStream(new TransportStream(connection.Transport), leaveInnerStreamOpen: false);
        try
        {
            var options = new SslServerAuthenticationOptions
            {
                ServerCertificateContext = selection.Context,
                ApplicationProtocols = [AcmeTls],
                AllowTlsResume = false,
            };
            await stream.AuthenticateAsServerAsync(options, deadline.Token);
            await stream.ShutdownAsync();
            metrics.ChallengeRequested(TlsAlpn01ChallengeHandler.Type, Outcomes.Answered);
            logger.ChallengeAnswered(selection.ServerName!);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException or OperationCanceledException
            or ConnectionAbortedException or InvalidOperationException)
        {
            metrics.ChallengeRequested(TlsAlpn01ChallengeHandler.Type, Outcomes.BrokenOff);
            logger.ChallengeBrokenOff(selection.ServerName!, exception.Message);
        }
    }
}

/// <summary>Combines the two pipes of a connection into a stream for SslStream.</summary>
internal sealed class TransportStream(IDuplexPipe transport) : Stream
{
    private readonly Stream _input = transport.Input.AsStream(leaveOpen: true);
    private readonly Stream _output = transport.Output.AsStream(leaveOpen: true);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => _input.Read(buffer, offset, count);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        => _input.ReadAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => _output.Write(buffer, offset, count);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => _output.WriteAsync(buffer, cancellationToken);

    public override void Flush() => _output.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => _output.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
