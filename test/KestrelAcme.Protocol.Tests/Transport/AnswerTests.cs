using System.Net.Security;
using System.Security.Authentication;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Tests.Scripted;
using KestrelAcme.Protocol.Transport;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class AnswerTests : ScriptedTest
{
    [Fact]
    public async Task Read_DeclaredTooLarge_IsMalformed()
    {
        Server.On("/account/1", Answer.Text(200, "application/json", new string(' ', BoundedContent.MaxLength + 1)));

        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.GetAsync(Cancellation));

        Assert.Contains("larger than 1048576 bytes", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_EndlessStream_IsMalformed()
    {
        Server.On("/account/1", Answer.Stream(() => new EndlessStream()));

        await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.GetAsync(Cancellation));
    }

    [Fact]
    public async Task Read_ExactlyTheLimit_IsRead()
    {
        var json = """{"status":"valid"}""";
        Server.On("/account/1", Answer.Text(200, "application/json", json.PadRight(BoundedContent.MaxLength)));

        Assert.Equal(Protocol.Accounts.AccountStatus.Valid, (await Account.GetAsync(Cancellation)).Status);
    }

    [Theory]
    [InlineData("text/html", "<html>", "text/html")]
    [InlineData("application/json", "<html>", "not the expected JSON")]
    [InlineData("application/json", "", "empty")]
    [InlineData("application/json", "null", "null")]
    [InlineData("application/json", "[]", "not the expected JSON")]
    public async Task Read_NoAcme_SaysWhat(string mediaType, string body, string expected)
    {
        Server.On("/account/1", Answer.Text(200, mediaType, body));

        var exception = await Assert.ThrowsAsync<AcmeMalformedResponseException>(() => Account.GetAsync(Cancellation));

        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.Contains("https://acme.test/account/1", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_NoAnswerInTime_SaysSo()
    {
        Server.On("/account/1", Answer.Stream(() => new SilentStream()));
        using var client = CreateClient(configure: options => options.Retry.MaxAttempts = 1);
        var account = client.OpenAccount(Key, Account.Url);

        var exception = await RunToFailure<AcmeUnreachableException>(account.GetAsync(Cancellation));

        Assert.Contains("did not answer within 30 s", exception.Message, StringComparison.Ordinal);
        Assert.False(exception.RequestMayHaveBeenProcessed);
    }

    [Fact]
    public async Task Send_TlsFails_SaysSoAndIsNotRepeated()
    {
        Server.On("/directory", Answer.Fail(new HttpRequestException(
            HttpRequestError.SecureConnectionError, "TLS", new AuthenticationException(
                $"The remote certificate is invalid: {SslPolicyErrors.RemoteCertificateChainErrors}"))));

        var exception = await Assert.ThrowsAsync<AcmeUnreachableException>(() => Client.GetDirectoryAsync(Cancellation));

        Assert.True(exception.IsTlsFailure);
        Assert.Equal(AcmeUnreachableReason.TlsFailed, exception.Reason);
        Assert.Contains("TLS with https://acme.test/directory failed: The remote certificate is invalid", exception.Message,
            StringComparison.Ordinal);
        Assert.Single(Server.Requests);
    }

    [Fact]
    public async Task Send_UnknownHost_SaysSo()
    {
        Server.On("/directory", Answer.Fail(new HttpRequestException(HttpRequestError.NameResolutionError, "dns")));

        var exception = await RunToFailure<AcmeUnreachableException>(Client.GetDirectoryAsync(Cancellation));

        Assert.Contains("does not resolve", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_Redirect_IsNotFollowed()
    {
        Server.On("/account/1", Answer.Empty(302, ("Location", "https://elsewhere.test/")));

        var exception = await Assert.ThrowsAsync<AcmeException>(() => Account.GetAsync(Cancellation));

        Assert.Contains("redirect", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Server.Requests, request => request.Url.Host == "elsewhere.test");
    }

    [Fact]
    public async Task Date_OfAnswers_GivesTheSkew()
    {
        Assert.Null(Client.ClockSkew);
        Server.On("/account/1", Answer.Json("{}", 200, ("Date", "Sat, 21 Nov 2026 14:00:00 GMT")));

        await Account.GetAsync(Cancellation);

        Assert.Equal(TimeSpan.FromHours(2), Client.ClockSkew);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 14, 0, 0, TimeSpan.Zero), Client.LastServerDate);
    }

    private sealed class EndlessStream : MemoryStream
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            buffer.Span.Fill((byte)' ');
            return ValueTask.FromResult(buffer.Length);
        }
    }

    private sealed class SilentStream : MemoryStream
    {
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return 0;
        }
    }
}
