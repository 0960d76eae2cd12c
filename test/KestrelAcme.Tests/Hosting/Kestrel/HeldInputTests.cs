using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>What a client can do to the memory of the server while its connection waits for a certificate on demand.</summary>
public sealed class HeldInputTests
{
    private const int Chunk = 4096;
    private static readonly byte[] Hello = ClientHelloBuilder.For("shop.test").Build();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    // The pipe takes 8 KB: a connection that does not look at what arrives, or keeps it there, would make the client wait forever.
    [Fact]
    public async Task OnConnection_ClientKeepsSending_IsClosedAfterSixteenKilobytes()
    {
        await using var connection = new WaitingConnection();
        var taken = 0;

        while (!connection.Done.IsCompleted)
        {
            var flushed = connection.SendAsync(new byte[Chunk]);
            taken += Chunk;
            await Task.WhenAny(connection.Done, flushed).WaitAsync(Cancelled);
        }

        await connection.Done;
        Assert.False(connection.IsHandshaking);
        Assert.True(connection.Gate.Gone.IsCancellationRequested);
        Assert.InRange(taken, 16 * 1024, 16 * 1024 + WaitingConnection.MostInThePipe + Chunk);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1500)]
    public async Task OnConnection_CertificateArrives_TheHandshakeReadsAllThatWasSent(int early)
    {
        await using var connection = new WaitingConnection();
        var sent = new List<byte>(Hello);
        for (var i = 0; i < early; i += 500)
        {
            var more = Enumerable.Repeat((byte)i, Math.Min(500, early)).ToArray();
            sent.AddRange(more);
            await connection.SendAsync(more);
        }

        connection.Gate.Finish();
        var input = await connection.HandshakeAsync();
        var first = await input.ReadAsync(Cancelled);
        Assert.Equal(Hello, first.Buffer.Slice(0, Hello.Length).ToArray());
        input.AdvanceTo(first.Buffer.Start);
        Assert.True(input.TryRead(out var again));
        Assert.Equal(first.Buffer.ToArray(), again.Buffer.ToArray());
        input.AdvanceTo(again.Buffer.GetPosition(5), again.Buffer.End);
        var pending = input.ReadAsync(Cancelled).AsTask();
        sent.AddRange("finished"u8);
        await connection.SendAsync("finished"u8.ToArray());

        var rest = new List<byte>();
        for (var result = await pending; ; result = await input.ReadAsync(Cancelled))
        {
            rest.AddRange(result.Buffer.ToArray());
            input.AdvanceTo(result.Buffer.End);
            if (rest.Count >= sent.Count - 5)
            {
                break;
            }
        }

        Assert.Equal(sent[5..], rest);
        Assert.False(input.TryRead(out _));
        connection.End();
        Assert.True((await input.ReadAsync(Cancelled)).IsCompleted);
    }

    [Fact]
    public async Task OnConnection_ClientLeaves_IsNotWaitedFor()
    {
        await using var connection = new WaitingConnection();

        connection.End();

        await connection.Done.WaitAsync(Cancelled);
        Assert.False(connection.IsHandshaking);
        Assert.True(connection.Gate.Gone.IsCancellationRequested);
    }

    /// <summary>A connection whose client has sent its ClientHello, and which waits at a gate.</summary>
    private sealed class WaitingConnection : IAsyncDisposable
    {
        public const int MostInThePipe = 8 * 1024;

        private readonly Pipe _input = new(new PipeOptions(
            pauseWriterThreshold: MostInThePipe, resumeWriterThreshold: 1, useSynchronizationContext: false));
        private readonly TaskCompletionSource<PipeReader> _handshake = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly ServiceProvider _services;

        public WaitingConnection()
        {
            _services = new ServiceCollection().AddLogging().AddKestrelTls()
                .AddSingleton<IHostEnvironment>(new HostingEnvironment())
                .AddSingleton<TimeProvider>(new FakeTimeProvider())
                .BuildServiceProvider();
            var hello = _services.GetRequiredService<ClientHelloServices>();
            hello.Selector.OnDemand = Gate;
            _input.Writer.Write(Hello);
            _input.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
            var transport = new Transport(_input.Reader, new Pipe().Writer);
            Done = new ClientHelloMiddleware(NextAsync, handshakeTimeout: null, hello)
                .OnConnectionAsync(new DefaultConnectionContext("1", transport, transport));
        }

        public HeldGate Gate { get; } = new();

        public Task Done { get; }

        public bool IsHandshaking => _handshake.Task.IsCompleted;

        public Task<PipeReader> HandshakeAsync() => _handshake.Task.WaitAsync(Cancelled);

        public async Task SendAsync(byte[] bytes) => await _input.Writer.WriteAsync(bytes, Cancelled);

        public void End() => _input.Writer.Complete();

        public async ValueTask DisposeAsync()
        {
            _over.TrySetResult();
            Gate.Finish();
            await Done;
            await _services.DisposeAsync();
        }

        private Task NextAsync(ConnectionContext connection)
        {
            _handshake.TrySetResult(connection.Transport.Input);
            return _over.Task;
        }

        private sealed class Transport(PipeReader input, PipeWriter output) : IDuplexPipe
        {
            public PipeReader Input => input;

            public PipeWriter Output => output;
        }
    }

    private sealed class HeldGate : IOnDemandGate
    {
        private readonly TaskCompletionSource<bool> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken Gone { get; private set; }

        public bool AllowsAddresses => false;

        public bool Concerns(string name, string? managed) => true;

        public void Finish() => _finished.TrySetResult(true);

        public async Task<bool> WaitAsync(string name, IPAddress? client, long length, CancellationToken gone)
        {
            Assert.Equal(Hello.Length, length);
            Gone = gone;
            try
            {
                return await _finished.Task.WaitAsync(gone);
            }
            catch (OperationCanceledException)
            {
                return true;
            }
        }
    }
}
