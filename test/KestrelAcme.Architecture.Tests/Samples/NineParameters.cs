namespace KestrelAcme.Architecture.Tests.Samples;

internal sealed class NineParameters(int a, int b, int c, int d, int e, int f, int g, int h, int i)
{
    public int Sum => a + b + c + d + e + f + g + h + i;
}
