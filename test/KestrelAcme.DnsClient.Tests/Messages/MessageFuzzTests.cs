using System.Diagnostics;
using System.Net;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Transport;
using KestrelAcme.DnsClient.Updates;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.Messages;

public sealed class MessageFuzzTests
{
    private const int Chunks = 40;

    private static readonly IPEndPoint Server = new(IPAddress.Loopback, 53);
    private static readonly TsigSignature Signature =
        TsigSignature.Of(SampleMessages.Query(), SampleMessages.Key, DateTimeOffset.UnixEpoch);

    private static readonly DnsRequest Query = DnsRequest.Query(
        new DnsQuestion(DnsName.Parse("www.example.test"), DnsRecordType.A), recursionDesired: true, edns: true);

    [Fact]
    public Task Read_MutatedMessages_ThrowsTypedErrorsOnly() => ReadAsync(100_000);

    [Long]
    [Fact]
    public Task Read_TwoMillionMutatedMessages_ThrowsTypedErrorsOnly() => ReadAsync(2_000_000);

    /// <summary>
    /// Broken messages: each one is either parsed and its signature rejected, or parsing fails with the typed errors. Any other
    /// exception, such as an index out of range, fails the test and shows the octets. An endless loop would not end the test.
    /// </summary>
    private static async Task ReadAsync(int total)
    {
        byte[][] corpus = [SampleMessages.AllTypes(), SampleMessages.Compressed(), SampleMessages.SignedUpdate(), SampleMessages.Query()];
        int[] read = new int[Chunks];

        await Parallel.ForAsync(0, Chunks, TestContext.Current.CancellationToken, (chunk, _) =>
        {
            read[chunk] = ReadMutated(new MessageMutator(20261121 + chunk, corpus), total / Chunks);
            return ValueTask.CompletedTask;
        });

        // Both outcomes must be frequent, or the mutations are useless.
        Assert.InRange(read.Sum(), total / 20, total * 19 / 20);
    }

    private static int ReadMutated(MessageMutator mutator, int count)
    {
        int read = 0;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> message = mutator.Next();
            long start = Stopwatch.GetTimestamp();
            try
            {
                Query.IsAnsweredBy(message);
                DnsMessage parsed = MessageReader.Read(message);
                read++;
                Signature.Verify(Server, parsed, message.ToArray(), DateTimeOffset.UnixEpoch);
                Assert.Fail($"A signature passed on {Convert.ToHexString(message)}");
            }
            catch (Exception expected) when (expected is DnsFormatException or TsigException)
            {
                // As documented.
            }
            catch (Exception cause) when (cause is not Xunit.Sdk.XunitException)
            {
                Assert.Fail($"{cause.GetType().Name} on {Convert.ToHexString(message)}: {cause.Message}");
            }

            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20), $"Slow: {Convert.ToHexString(message)}");
        }

        return read;
    }
}
